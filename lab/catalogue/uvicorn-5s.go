package catalogue

import "rstlab/lab/scenario"

var Uvicorn5s = add(closesAfter(scenario.Span{From: 4900 * millisecond, To: 6500 * millisecond}, scenario.Scenario{
	ID:      "uvicorn-5s",
	Title:   "Uvicorn closes an idle connection after 5 s; nginx sees it, and nothing fails",
	Why:     `Uvicorn's timeout_keep_alive is 5 s, and it says nothing of it in its answers.`,
	Refs:    []string{"https://www.uvicorn.org/settings/#timeouts"},
	Backend: "uvicorn",
}))
