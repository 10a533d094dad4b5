package catalogue

import "rstlab/lab/scenario"

var Tomcat20s = add(closesAfter(scenario.Span{From: 19900 * millisecond, To: 22500 * millisecond}, scenario.Scenario{
	ID:    "tomcat-20s",
	Title: "Tomcat closes an idle connection after 20 s; nginx sees it, and nothing fails",
	Why: `Tomcat's keepAliveTimeout is its connectionTimeout, and that is 20 s in the server.xml that
Tomcat comes with; without it, as in a program that embeds Tomcat, it is 60 s, the same as
nginx's. Tomcat looks at its idle connections once a second, and Java closes such a socket in
two steps, FIN first and the rest up to a second later: a request that crosses the FIN is
answered with RST only then.`,
	Refs:    []string{"https://tomcat.apache.org/tomcat-10.1-doc/config/http.html"},
	Backend: "tomcat",
}))
