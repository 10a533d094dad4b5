package catalogue

import (
	"time"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "equal-timeouts",
	Title: "nginx and the client both keep an idle connection for 1 s: who asks at its last moment gets an answer or EOF",
	Why: `nginx closes a connection that has been idle for keepalive_timeout, 1 s, and the client uses it for just as
long: its next request comes 1 s after the last answer. Both clocks started at the same moment, so FIN and request set
out together, and a millisecond decides: the request is first and is answered, or they cross, or the FIN is first and
the client, which looked before it came, sends into a closed connection, or now and then nginx closes with the request
unread, and its kernel makes RST of that. In some plays it is EOF, in others 200. "The same timeout on both sides" is
the worst choice of all: it makes an appointment of a rare race.`,
	Refs:  []string{"RFC 9112, 9.3.1", "https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout"},
	Looks: scenario.SymptomEOF,

	Client: "raw",
	Nginx:  "keepalive-1s",
	Play:   asksAgainAfter(second),
	Runs:   20,
	Share:  [2]float64{0.05, 0.95},
	Want:   lastMoment,
	Or: []want{
		{Access: []access{{Status: 200}, {Status: 200}}, Ran: []string{"GET /", "GET /"}},
		and(lastMoment, reset{From: nginx, To: client, Kind: "after-close"}),
		{
			Replies: []reply{{Class: "reset"}},
			Ran:     []string{"GET /"},
			Access:  []access{{Status: 200}},
			Resets:  []reset{{From: nginx, To: client, Kind: "abort"}},
			Ends:    []end{{Client: client, Server: nginx, Cause: "aborted"}},
		},
	},
	Control: control{What: "the client asks after 0.5 s", Play: asksAgainAfter(500 * millisecond)},
})

// asksAgainAfter is a client that has its pause in its own script: the lab would
// be too slow.
func asksAgainAfter(pause time.Duration) steps {
	return steps{raw("c", script.Write(getTest), script.ReadResponse(), script.Rest(pause), script.Write(getTest), script.ReadResponse(), script.Close())}
}

// lastMoment is stale-idle or stale-crossing.
var lastMoment = want{
	Replies: []reply{{Class: "eof"}},
	Ran:     []string{"GET /"},
	Access:  []access{{Status: 200}},
	Resets:  []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
	Ends:    []end{{Client: client, Server: nginx, ClosedBy: "server"}},
}
