// Package clients documents what a client is. The clients themselves are the
// folders below: one Dockerfile and one source file each, in any language.
//
// A client is a program that performs HTTP requests with one real HTTP library
// and says what came of them. It reads JSON, one object a line, on stdin, and
// writes JSON, one object a line, flushed, on stdout; nothing else is written
// there. So whoever drives it can act between two requests: kill a server, drop
// a packet, or just wait.
//
// # Ready
//
// At its start the client says what it is, the version as the library itself
// tells it:
//
//	{"ready":true,"client":"okhttp","version":"3.13.1","runtime":"OpenJDK 21.0.4"}
//
// # Options
//
// The first line of input is the options. Each key may be left out, which leaves
// the library's own default:
//
//		{"retry":false,"pool_idle_ms":3000,"timeout_ms":10000,"http2":true}
//
//	  - retry: whether the library sends a request again by itself when a
//	    connection fails.
//	  - pool_idle_ms: how long the pool keeps an idle connection, above 0.
//	  - timeout_ms: the library's time limit, above 0, for what the library
//	    usually limits: each of connect, write and read (OkHttp), or the whole
//	    request (Go).
//
//	  - http2: whether HTTP/2 is spoken, with prior knowledge where the URL is http,
//	    and nothing else; or HTTP/1.1 and nothing else.
//
// The server's certificate is not verified: the lab's nginx has one of its own.
//
// OkHttp's own timeouts are replaced by those of the article that the lab starts
// from: connect 10 s, write 10 s, read 30 s.
//
// # Requests
//
// Each further line is a request; headers and body may be left out:
//
//	{"n":1,"method":"POST","url":"http://test.foo.com/test","headers":{"K":"V"},"body":"text"}
//
// All requests go through one client object, so a connection of its pool may
// serve the next request. The client reads the whole body of the response and
// writes one line, with at most the first 200 bytes of the body:
//
//	{"n":1,"status":200,"local_port":38212,"body":"text","bytes":4,"ms":12.3}
//
// local_port is that of the connection which the last try of the request used,
// or 0 when there was none. A failed request is data:
//
//	{"n":1,"error":{"class":"eof","text":"java.io.IOException: unexpected end of stream on Connection{…}\nCaused by: java.io.EOFException: …"},"local_port":38212,"ms":3.1}
//
// error.text is the language's own, word for word, the causes as the language
// prints them but without stack frames. With both status and error the response
// had begun and its body broke; body and bytes then tell what had come.
// error.class is one of:
//
//	reset        the connection was reset or aborted: ECONNRESET, EPIPE, ECONNABORTED
//	eof          the connection was closed before the response was whole
//	timeout      nothing came in time: the library's limit, or ETIMEDOUT
//	refused      nobody listens: ECONNREFUSED
//	unreachable  no way to the host: EHOSTUNREACH, ENETUNREACH
//	other        anything else
//
// # Scripts
//
// The client raw is no HTTP library. Its request is a script (package script) on
// a connection, and it has no options:
//
//		{"n":1,"url":"test.foo.com:80","conn":"a","script":[{"do":"write","text":"GET / HTTP/1.1\r\n…"},{"do":"read","what":"response"}]}
//
//	  - conn: the connection's name. It is made to the url when the name is first
//	    used, and again when a script has closed or reset it; that the peer has
//	    ended it does not make a new one.
//	  - script: what to do, in the JSON of script.Op. It may be empty: connect.
//
// The scripts of one connection are played one after the other, those of
// different connections side by side: each outcome is written when its script
// is over, in whatever order, and n tells them apart. What a script says is
// written at once, and what it waits for is told in a line between requests:
//
//	{"said":"event"}
//	{"tell":"event"}
//
// status, body and bytes are of the response that was read last, and error is
// the first that met the script: to connect, or an op. The script goes on after
// that, so a response may be whole although error says "write: broken pipe". A
// script that reads no response and fails nowhere has neither status nor error.
// error.text is the kernel's, with the system call before it ("read: connection
// reset by peer"), and "EOF" or "unexpected EOF" where the peer closed before or
// within what was read; to read to the end meets no error in a FIN. At the end
// of input a wait for what was never told fails.
//
// # Exit
//
//	0    end of input, whatever became of the requests
//	2    the input is wrong: not a JSON object, no such URL, a value of the wrong type
//	127  the client does not support this key, value or step: stderr says which.
//	     That is never a failure.
//
// Any other code means that the client itself broke.
package clients
