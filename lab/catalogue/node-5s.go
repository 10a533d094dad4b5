package catalogue

import "rstlab/lab/scenario"

var Node5s = add(closesAfter(scenario.Span{From: 5900 * millisecond, To: 7500 * millisecond}, scenario.Scenario{
	ID:    "node-5s",
	Title: "Node closes an idle connection after 5 s and one more; nginx sees it, and nothing fails",
	Why: `Node's keepAliveTimeout is 5 s (it says so, "Keep-Alive: timeout=5"), and it waits one second
more, for those who take it at its word.`,
	Refs: []string{"https://nodejs.org/api/http.html#serverkeepalivetimeout"},
}))
