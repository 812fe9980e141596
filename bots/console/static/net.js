// What the page does, it does by POST /act/NAME; a refusal is a sentence.

export class Refused extends Error {}
export class Away extends Error {}

async function answer(request) {
  let response;
  try {
    response = await request;
  } catch {
    throw new Away("Not connected. Your text is kept.");
  }
  if (response.status === 401) location.href = "/login";
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(body.error ?? `That did not work (${response.status}).`);
  return body;
}

export const page = document.body.dataset.page;

export function act(name, body = {}) {
  return answer(
    fetch(`/act/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ page, ...body }),
    }),
  );
}

export function actWithFiles(fields, files) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ page, ...fields })) form.append(name, value);
  for (const file of files) form.append("file", file, file.name);
  return answer(fetch("/act-with-files/say", { method: "POST", body: form }));
}

export const post = (path, body) =>
  answer(fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));

export const get = (path) => answer(fetch(path, { headers: { Accept: "application/json" } }));
