package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "stale-post-okhttp",
	Title: "OkHttp sends a POST again that has crossed nginx's FIN: well this time, for nobody had run it",
	Why: `OkHttp's retry does not ask for the method. A request whose connection fails before an answer is sent again on a
new one, a POST as well, as long as its body can be written twice. Here that is right: the POST has met a closed socket,
and the back end runs it once. But what OkHttp goes by, EOF on a reused connection, is the same when nginx has passed
the POST on and then dies (worker-killed-runs-twice): then it runs twice.`,
	Refs: []string{"RFC 9110, 9.2.2", "RFC 9112, 9.3.1", "okhttp3.internal.http.RetryAndFollowUpInterceptor"},

	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.On},
	Play:    crossing(post("/test", "order")),
	Want:    postRetried,
	Or:      []want{and(postRetried, reset{From: nginx, To: client, Kind: "after-close"})},
	Control: control{What: "the retry is off", Options: &scenario.Options{Retry: scenario.Off}},
})
