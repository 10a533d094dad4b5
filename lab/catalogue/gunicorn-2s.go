package catalogue

import "rstlab/lab/scenario"

var Gunicorn2s = add(closesAfter(scenario.Span{From: 1950 * millisecond, To: 4000 * millisecond}, scenario.Scenario{
	ID:    "gunicorn-2s",
	Title: "Gunicorn closes an idle connection after 2 s, first of all servers; nginx sees it, and nothing fails",
	Why: `Gunicorn's keepalive is 2 s; its worker looks once a second, or when something else happens,
so it can be 3 s. That is for workers that keep connections at all, such as gthread: sync, the
default, closes behind every answer.`,
	Refs:    []string{"https://docs.gunicorn.org/en/stable/settings.html#keepalive"},
	Backend: "gunicorn",
}))
