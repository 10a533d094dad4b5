package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "stale-rst-first-fixed-by-retry",
	Title: "a client that retries does not notice that the RST came before the FIN",
	Why: `A retry that knows EOF only would miss this order of the same failure. OkHttp takes both for a connection that
was closed: it sends the request again on a new one and gets 200.`,
	Refs: []string{"RFC 9112, 9.3.1", "RFC 9110, 9.2.2"},

	Fixes:   "stale-rst-first",
	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.On},
	Play:    rstFirst,
	Want:    crossingRetried,
	Control: control{What: "the retry is off", Options: &scenario.Options{Retry: scenario.Off}},
})
