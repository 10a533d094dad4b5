package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "accept-overflow-fixed-by-backlog",
	Title: "with a backlog that is long enough, those who wait for a busy back end are answered when it goes on",
	Why: `The same back end hangs for the same time, but listens with the system's backlog (net.core.somaxconn, 4096).
All three connections are made by its kernel and wait in the accept queue, with their requests; when the back end
goes on, it finds them there, and all are answered. Nobody has seen an error, only 2 s of waiting. A queue is no
cure for a back end that is too slow for ever: then those who wait in it run into proxy_read_timeout.`,
	Refs: []string{"listen(2), backlog"},

	Fixes:   "accept-overflow",
	Client:  "raw",
	Nginx:   "connect-timeout",
	Backend: "scripted",
	Server:  &script.Server{},
	Play:    queued,
	Want:    want{Ran: []string{"GET /", "GET /", "GET /"}},
	Control: control{What: "the backlog is 1", Server: &script.Server{Backlog: 1}},
})
