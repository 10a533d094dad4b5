package catalogue

import "rstlab/lab/scenario"

var Puma20s = add(closesAfter(scenario.Span{From: 19900 * millisecond, To: 22000 * millisecond}, scenario.Scenario{
	ID:    "puma-20s",
	Title: "Puma closes an idle connection after 20 s; nginx sees it, and nothing fails",
	Why: `Puma's persistent_timeout is 20 s up to Puma 6 (65 s from 7 on). It starts to count when its
thread has waited 0.2 s in vain for a next request (fast track), so it is 20.2 s.`,
	Refs:    []string{"https://puma.io/puma/Puma/DSL.html#persistent_timeout-instance_method"},
	Backend: "puma",
}))
