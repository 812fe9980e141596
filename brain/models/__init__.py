"""Language models behind the `Model` protocol: providers, and what is built around each of them."""
