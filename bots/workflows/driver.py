"""Drives the runs of workflows: one process a swarm does, whichever holds the lease.

What the rules say is stored before anything is done about it, and what is done has a key of its
own, so whoever takes over, after whatever death, goes on where the run was and does nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from structlog.typing import FilteringBoundLogger

from bots.rounds import Rounds
from bots.workflows import record
from bots.workflows.reins import Reins
from bots.workflows.scene import Scene, Script, assignment_of, closing, gated, referred
from bots.workflows.stillness import Stillness
from bots.workflows.work import Gates, NeverSo, NotNow, Work
from brain.workflows import progress as rules
from brain.workflows.progress import Key, Outcome, Progress
from brain.workflows.reading import WorkflowUnreadable, read
from brain.workflows.rules import advance
from storage import workflows
from storage.errors import LeaseLost
from storage.latch import Latch
from storage.store import Store
from storage.unit import Unit
from storage.workflow_states import FINAL, State
from storage.workflow_tables import WorkflowRun
from storage.workflows import StepRow

_LOOK_EVERY_S: Final = 2.0
#: results are kept no longer than this
_RESULT: Final = 20_000


class Driver:
    """`run` until cancelled; `nudge` when something happened."""

    def __init__(
        self,
        store: Store,
        work: Work,
        gates: Gates,
        *,
        holder: str,
        latch: Callable[[], Latch | None],
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        """`holder` names this very process."""
        self._store = store
        self._work = work
        self._gates = gates
        self._latch = latch
        self._clock = clock
        self._log = log
        self._rounds = Rounds(_LOOK_EVERY_S, log, "workflows.wait")
        self._reins = Reins(store, holder, clock)
        self._still = Stillness(store, work, gates)
        self._scripts: dict[str, Script] = {}
        #: why a task is not with anybody, by key
        self._waits: dict[str, str] = {}

    def nudge(self) -> None:
        """Look now."""
        self._rounds.nudge()

    async def run(self) -> None:
        """Drive whatever is to be driven."""
        await self._rounds.run(self.look)

    async def look(self) -> float:
        """One round over all runs; the seconds until the next one. Raises `StorageError`."""
        if self._latch() is not None or not await self._may_drive():
            return _LOOK_EVERY_S
        open_runs = await self._store.read(workflows.unfinished)
        epoch = self._reins.held.epoch
        if not open_runs:
            self._reins.drop()
        for run in await self._still.stirring(open_runs, epoch, self._clock()):
            try:
                await self._reins.keep()
                await self.drive(run)
            except LeaseLost as error:
                self._log.info("workflow.lost", code=run.code, why=str(error))
                self._reins.drop()
        self._forget(open_runs)
        return self._rounds.until(self._still.moments(), self._clock())

    async def drive(self, run: WorkflowRun) -> None:
        """Take a run as far as it goes now. Raises `LeaseLost` and `StorageError`."""
        script = await self._script(run)
        if script is None:
            return
        scene = await self._read(run)
        while scene.progress.state not in FINAL:
            after = advance(
                script.workflow, await self._news(script, scene), script.words, self._clock()
            )
            if after != scene.progress:
                scene = await self._save(script, scene, after)
                continue
            acted = await self._act(script, scene)
            if acted is None:
                self._still.keep(scene)
                return
            scene = acted
        self._log.info("workflow.over", code=run.code, state=str(scene.progress.state))

    async def _may_drive(self) -> bool:
        # The lease comes before the runs are read: nobody else changes them in between.
        if self._reins.is_held or await self._store.read(workflows.any_unfinished):
            return await self._reins.take()
        return False

    # --- what came of it --------------------------------------------------------------------------

    async def _news(self, script: Script, scene: Scene) -> Progress:
        """The run with everything put in that has come from outside."""
        at, now = scene.progress, self._clock()
        if scene.run.cancel_by:
            at = rules.cancel(at, f"cancelled by {scene.run.cancel_by}")
        at = await self._decided(script, scene, at)
        busy = {
            scene.rows[key].reference: key
            for key in rules.to_work_on(scene.progress)
            if scene.rows[key].reference
        }
        if busy:
            for reference, outcome in (await self._work.outcomes(list(busy))).items():
                short = replace(outcome, result=outcome.result[:_RESULT])
                at = rules.settle(script.workflow, at, busy[reference], short, now)
        return at

    async def _decided(self, script: Script, scene: Scene, at: Progress) -> Progress:
        asked = {row.reference: row.step for row in gated(scene) if row.reference}
        if not asked:
            return at
        verdicts = await self._store.read(lambda unit: self._gates.verdicts(unit, list(asked)))
        for reference, verdict in verdicts.items():
            at = rules.decide(
                script.workflow, at, asked[reference], approved=verdict.approved, why=verdict.why
            )
        return at

    # --- what is done about it --------------------------------------------------------------------

    async def _act(self, script: Script, scene: Scene) -> Scene | None:
        """Ask and stop what the run's state asks for; the run afterwards, None without a change."""
        stop = set(rules.to_stop(scene.progress, self._clock()))
        after = scene
        for row in gated(scene):
            if not row.reference:
                after = await self._ask_people(script, after, row)
        for key in rules.to_work_on(scene.progress):
            row = scene.rows[key]
            if key in stop:
                after = await self._stop(script, after, key)
            elif not row.reference:
                after = await self._hand_out(script, after, key)
        return None if after is scene else after

    async def _ask_people(self, script: Script, scene: Scene, row: StepRow) -> Scene:
        gate = script.workflow.step(row.step).gate
        assert gate is not None

        async def ask(unit: Unit) -> str:
            # Asked and noted at once: nobody is asked the same twice.
            reference = await self._gates.open(unit, scene.run, row, gate)
            await self._refer(unit, scene, row, reference, "people")
            return reference

        reference = await self._store.write(ask)
        self._gates.changed()
        return referred(scene, Key(row.step), reference, "people")

    async def _hand_out(self, script: Script, scene: Scene, key: Key) -> Scene:
        assignment = assignment_of(script, scene, key, self._clock())
        try:
            handed = await self._work.ask(assignment)
        except NotNow as error:
            self._waits[assignment.key] = str(error)
            return scene
        except NeverSo as error:
            return await self._settled(script, scene, key, State.FAILED, str(error))
        self._waits.pop(assignment.key, None)
        row = scene.rows[key]
        await self._store.write(
            lambda unit: self._refer(unit, scene, row, handed.reference, handed.doer)
        )
        return referred(scene, key, handed.reference, handed.doer)

    async def _stop(self, script: Script, scene: Scene, key: Key) -> Scene:
        row, why = scene.rows[key], scene.progress.why or "it takes too long"
        if row.reference:
            await self._work.cancel(row.reference, why)
            done = await self._work.outcomes([row.reference])
            if row.reference not in done:
                return scene
            at = rules.settle(
                script.workflow, scene.progress, key, done[row.reference], self._clock()
            )
            return await self._save(script, scene, at)
        # It may have been asked by a process that died before it could say so.
        assignment = assignment_of(script, scene, key, self._clock())
        handed = await self._work.find(assignment)
        if handed is None:
            waited = self._waits.pop(assignment.key, "")
            state = State.FAILED if waited and not scene.progress.ending else State.CANCELLED
            return await self._settled(script, scene, key, state, waited)
        await self._store.write(
            lambda unit: self._refer(unit, scene, row, handed.reference, handed.doer)
        )
        return referred(scene, key, handed.reference, handed.doer)

    async def _settled(
        self, script: Script, scene: Scene, key: Key, state: State, error: str
    ) -> Scene:
        outcome = Outcome(state=state, error=error)
        at = rules.settle(script.workflow, scene.progress, key, outcome, self._clock())
        return await self._save(script, scene, at)

    # --- the store --------------------------------------------------------------------------------

    async def _script(self, run: WorkflowRun) -> Script | None:
        known = self._scripts.get(run.code)
        if known is not None:
            return known
        try:
            workflow = read(run.source, f"{run.name}.yaml")
        except WorkflowUnreadable as error:
            # It could be read when it began: this is another version of us.
            await self._give_up(run, f"its file cannot be read any more: {error}")
            return None
        made = self._scripts[run.code] = Script(workflow, record.words_of(run, workflow))
        return made

    async def _give_up(self, run: WorkflowRun, why: str) -> None:
        held, now = self._reins.held, self._clock()
        forward = workflows.Forward(before=run, state=State.FAILED, ending=State.FAILED, why=why)
        await self._store.write(lambda unit: workflows.save(unit, forward, held, now))

    async def _read(self, run: WorkflowRun) -> Scene:
        assert run.id is not None
        run_id = run.id
        rows = await self._store.read(lambda unit: workflows.tasks(unit, run_id))
        known = {record.key_of(row): row for row in rows}
        return Scene(run, known, record.progress_of(run, rows))

    async def _save(self, script: Script, scene: Scene, after: Progress) -> Scene:
        """Store where the run is now, and close the questions that are decided or of no use."""
        forward = record.forward_of(scene.run, scene.rows, after)
        held, now = self._reins.held, self._clock()
        closed = [(row, after.tasks[Key(row.step)]) for row in gated(scene) if row.reference]
        closed = [(row, task) for row, task in closed if task.state in FINAL]

        async def save(unit: Unit) -> WorkflowRun:
            saved = await workflows.save(unit, forward, held, now)
            for row, task in closed:
                await self._gates.close(unit, row.reference, closing(saved, task))
            return saved

        run = await self._store.write(save)
        if closed:
            self._gates.changed()
        rows = {k: record.row_of(k, t, scene.rows.get(k)) for k, t in after.tasks.items()}
        return Scene(run, rows, after)

    async def _refer(
        self, unit: Unit, scene: Scene, row: StepRow, reference: str, doer: str
    ) -> None:
        await workflows.refer(
            unit,
            scene.run,
            row,
            reference=reference,
            doer=doer,
            held=self._reins.held,
            now=self._clock(),
        )

    def _forget(self, open_runs: list[WorkflowRun]) -> None:
        codes = {run.code for run in open_runs}
        self._scripts = {code: s for code, s in self._scripts.items() if code in codes}
