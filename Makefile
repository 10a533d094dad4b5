# Each target is one command; what there is to decide, the lab decides.
# `make lab` is the newcomer's command, `make test` the proof.
.DEFAULT_GOAL := help
.PHONY: help lab test check bench images clean out/lab

help: ## what there is
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 16

lab: out/lab ## the article's failures and fixes, played and explained
	@out/lab run article

test: ## everything, on real containers; go test -short ./... needs no Docker
	go test -timeout 40m ./...

check: ## format, vet, lint, tidy modules, races in what is pure Go
	test -z "$$(gofmt -l backends lab tests)"
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	go mod tidy -diff
	go test -race -short ./...

bench: ## explain against gopacket, tcptrace and tshark; the catalogue against its longest scenario and one by one
	go test -run '^$$' -bench . -benchtime 5x ./lab/tcp
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./tests

images: out/lab ## the images, so that docker compose up works by itself
	@out/lab images

clean: ## what lab up and dead labs left standing; built and recorded files
	-@out/lab down
	rm -rf out

out/lab:
	@echo "compiling the lab (a minute the first time, then nothing)"
	@go build -o out/lab ./lab
