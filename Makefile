# The commands of this project; `make` alone lists them. Those that depend on setup install first what they need and
# the machine lacks; token and keygen need Rust alone.
NODE := node_modules/.bin/node
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup dev build bench serve token keygen openapi check test deny deploy clean

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

setup: ## Install the toolchain, npm packages and tools (dev, build, serve, check, test and deploy do it themselves)
	@./scripts/setup.sh

dev: setup ## Run on wrangler with a demo customer, rebuilding on change (PORT=8787)
	@$(NODE) scripts/dev.mjs

build: setup ## Build the release worker and the native companion
	@./scripts/build-worker.sh release
	@cargo build --release --locked --bin user-api

serve: build ## Serve the release build on plain workerd (PORT, HOST, DATA_DIR, ENV_FILE)
	@exec $(NODE) scripts/serve.mjs

token: ## Print a token, e.g. make token ARGS="--customer demo --ttl 3600"
	@cargo run --quiet --locked --bin user-api -- token $(ARGS)

keygen: ## Print every secret the service needs, in the form of .dev.vars
	@cargo run --quiet --locked --bin user-api -- keygen $(ARGS)

openapi: setup ## Rewrite docs/openapi.json and the client's types after a change of the interface
	@UPDATE_DOCS=1 cargo test --quiet --locked --test openapi
	@$(NODE) scripts/openapi-types.mjs

check: setup ## The fast half of the tests: format, lints, native tests
	@$(NODE) scripts/test.mjs check

test: setup ## Every test
	@$(NODE) scripts/test.mjs all

bench: setup ## Measure beside the references, e.g. make bench ARGS=--quick (needs wrk)
	@$(NODE) bench/run.mjs $(ARGS)

deny: ## Licences, advisories and sources of the dependencies (needs cargo-deny and a network)
	@cargo deny check

deploy: setup ## Deploy to Cloudflare, unless a setting is missing
	@$(NODE) scripts/deploy.mjs $(ARGS)

clean: ## Remove what was built, but no secrets, data or tools
	rm -rf build target .wrangler/tmp
