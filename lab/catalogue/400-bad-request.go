package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "400-bad-request",
	Title: "what is no HTTP gets 400, and the reason stands in error.log at info alone",
	Why: `The first word of the request line is no method: "client sent invalid method while reading client request line". nginx
answers 400 and closes, FIN. At the usual level of error.log nothing explains that 400: it takes error_log ... info.`,
	Refs: []string{"RFC 9112, 3", "https://nginx.org/en/docs/ngx_core_module.html#error_log"},

	Client: "raw",
	Play:   steps{raw("c", script.Write("hello there\r\n\r\n"), script.ReadResponse(), script.ReadEnd(), script.Close())},
	Want: want{
		Replies: []reply{{Status: 400}},
		Info:    []string{"client sent invalid method while reading client request line"},
		Access:  []access{{Status: 400}},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
	},
	Control: control{
		What: "the request is one of HTTP",
		Play: steps{raw("c", script.Write(getTest), script.ReadResponse(), script.Close())},
	},
})
