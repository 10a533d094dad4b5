package catalogue

import "rstlab/lab/scenario"

var Apache5s = add(closesAfter(scenario.Span{From: 4900 * millisecond, To: 6500 * millisecond}, scenario.Scenario{
	ID:    "apache-5s",
	Title: "Apache closes an idle connection after 5 s; nginx sees it, and nothing fails",
	Why: `Apache's KeepAliveTimeout is 5 s. It closes its own direction first (shutdown) and goes on
reading for up to 2 s what may still come (lingering close): a request that crosses its FIN is
read and thrown away, and is not even answered with RST.`,
	Refs:    []string{"https://httpd.apache.org/docs/2.4/mod/core.html#keepalivetimeout"},
	Backend: "apache",
}))
