# Saoy. `make` lists the targets.
SHELL := /bin/bash
GO ?= go
DATA ?= data
LISTEN ?= 127.0.0.1:8080
TOOLS := $(CURDIR)/.cache/tools
export SAOY_TOOLS := $(TOOLS)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/saoy
	@mkdir -p bin
	$(GO) build -trimpath -o bin/saoy ./cmd/saoy

.PHONY: run
run: ## the main job on the embedded default: serve on $(LISTEN), data in $(DATA)
	@scripts/need postgres
	@$(MAKE) --no-print-directory build
	exec bin/saoy serve --data "$(DATA)" --listen "$(LISTEN)"

.PHONY: tools
tools: ## install the servers and validators that the tests use; names what cannot be had
	@scripts/tools

.PHONY: test
test: tools ## every suite; a suite whose tool is missing is skipped by name (SAOY_REQUIRE=all: fails)
	@scripts/test

.PHONY: interop
interop: export SAOY_INTEROP = 1
interop: tools ## what we sign through independent validators, and theirs through ours
	@SAOY_INTEROP=1 scripts/test -run 'Interop' ./signer/... ./internal/...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (default 30s)
	@scripts/fuzz $(or $(FUZZTIME),30s)

.PHONY: bench
bench: ## benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./signer/... ./internal/... ./storage/...

.PHONY: soak
soak: tools ## four workers, three agencies, servers killed every few seconds, for SOAKTIME (default 1h)
	SAOY_SOAK=$(or $(SOAKTIME),1h) $(GO) test -v -timeout 3h -run 'TestSoakProvince|TestClientsWhileServeIsKilled' ./cmd/saoy

.PHONY: generate
generate: ## regenerate checked-in generated files
	$(GO) generate ./...

.PHONY: lint
lint: tools ## gofmt, vet, golangci-lint
	@test -z "$$(gofmt -l cmd internal signer storage migrations)" || { gofmt -l cmd internal signer storage migrations; echo "run gofmt -w on these"; exit 1; }
	$(GO) vet ./...
	$(TOOLS)/bin/golangci-lint run ./...

.PHONY: check
check: lint test ## what CI runs
