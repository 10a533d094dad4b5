package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "lingering-timeout",
	Title: "nginx has answered 413 and waits for the body, but not for long: what comes later meets RST",
	Why: `The head announces a body of more than client_max_body_size: nginx answers 413 at once and waits for the body, to
throw it away. Nothing comes for lingering_timeout, here 1 s, so nginx closes: FIN. What the client sends then meets a
closed socket: RST. The write that provokes it succeeds, as a write always does that the kernel only has to queue; it
is the next one that fails, with EPIPE.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_timeout", "RFC 9112, 9.6", "RFC 9293, 3.10.7.4"},

	Client: "raw",
	Nginx:  "lingering-on",
	Takes:  second,
	Play: steps{raw("c", script.Write(postHead(100000)), script.ReadResponse()), await(nginx, client, "F."), quiet(),
		raw("c", script.Fill(1000)), await(nginx, client, "R"), raw("c", script.Fill(1000))},
	Want: want{
		Replies:  []reply{{Status: 413}, {}, {Class: "reset", Text: []string{"broken pipe"}}},
		ErrorLog: []string{"client intended to send too large body: 100000 bytes"},
		Access:   []access{{Status: 413}},
		Wire:     staleRequest(client, nginx),
		Resets:   []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends:     []end{{Client: client, Server: nginx, Cause: "early-close", ClosedBy: "server"}},
	},
	Control: control{
		What: "the client sends its body in time",
		Play: steps{raw("c", script.Write(postHead(100000)), script.ReadResponse()), raw("c", script.Fill(100000)), raw("c", script.ReadEnd(), script.Close())},
	},
})
