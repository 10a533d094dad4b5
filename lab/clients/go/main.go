// Command go is Go's net/http as a client of the lab. The contract that it keeps
// is the documentation of rstlab/lab/clients.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

type ready struct {
	Ready   bool   `json:"ready"`
	Client  string `json:"client"`
	Version string `json:"version"`
	Runtime string `json:"runtime"`
}

// A nil option leaves net/http's own default.
type options struct {
	Retry      *bool  `json:"retry"`
	PoolIdleMS *int64 `json:"pool_idle_ms"`
	TimeoutMS  *int64 `json:"timeout_ms"`
	HTTP2      *bool  `json:"http2"`
}

type request struct {
	N       int               `json:"n"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    *string           `json:"body"`
}

type reply struct {
	N         int      `json:"n"`
	Status    int      `json:"status,omitempty"`
	Error     *failure `json:"error,omitempty"`
	LocalPort int      `json:"local_port"`
	Body      *string  `json:"body,omitempty"`
	Bytes     *int     `json:"bytes,omitempty"`
	MS        float64  `json:"ms"`
}

type failure struct {
	Class string `json:"class"`
	Text  string `json:"text"`
}

// exit ends the program with its own code.
type exit struct {
	code int
	text string
}

func (e exit) Error() string { return e.text }

func wrong(format string, a ...any) error       { return exit{2, fmt.Sprintf(format, a...)} }
func unsupported(format string, a ...any) error { return exit{127, fmt.Sprintf(format, a...)} }

func main() {
	err := run(os.Stdin, os.Stdout)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	if e, ok := errors.AsType[exit](err); ok {
		os.Exit(e.code)
	}
	os.Exit(1)
}

func run(in io.Reader, out io.Writer) error {
	w := json.NewEncoder(out)
	w.SetEscapeHTML(false)
	if err := w.Encode(ready{true, "go", runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}); err != nil {
		return err
	}
	// A bufio.Reader and not a Scanner: a request body has no limit.
	r := bufio.NewReader(in)
	var opts options
	if ok, err := readLine(r, &opts, "retry", "pool_idle_ms", "timeout_ms", "http2"); !ok {
		return err
	}
	client, err := newClient(opts)
	if err != nil {
		return err
	}
	for {
		var req request
		if ok, err := readLine(r, &req, "n", "method", "url", "headers", "body"); !ok {
			return err
		}
		if req.N == 0 || req.Method == "" || req.URL == "" {
			return wrong("a request needs n, from 1, a method and a url")
		}
		rep, err := perform(client, req)
		if err != nil {
			return err
		}
		if err := w.Encode(rep); err != nil {
			return err
		}
	}
}

// readLine decodes one line of input into v. It returns false, nil at the end of input.
func readLine(r *bufio.Reader, v any, known ...string) (bool, error) {
	line, err := r.ReadBytes('\n')
	if err != nil && err != io.EOF {
		return false, err
	}
	if len(line) == 0 {
		return false, nil
	}
	line = bytes.TrimSpace(line)
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(line, &keys); err != nil || keys == nil {
		return false, wrong("not a JSON object: %s", line)
	}
	for _, key := range known {
		delete(keys, key)
	}
	for key := range keys {
		return false, unsupported("net/http does not support %s", key)
	}
	if err := json.Unmarshal(line, v); err != nil {
		return false, wrong("%s: %v", line, err)
	}
	return true, nil
}

func newClient(opts options) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// Nothing of the environment may come between the client and its server.
	transport.Proxy = nil
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // the lab's server has a certificate of its own
	client := &http.Client{Transport: transport}
	// net/http has no switch: it always sends a request again when a reused
	// connection fails before the first byte of the response, if the request is
	// idempotent or nothing of it was written.
	if opts.Retry != nil && !*opts.Retry {
		return nil, unsupported("net/http does not support retry=false")
	}
	if opts.PoolIdleMS != nil {
		if *opts.PoolIdleMS <= 0 {
			return nil, wrong("pool_idle_ms must be above 0")
		}
		transport.IdleConnTimeout = time.Duration(*opts.PoolIdleMS) * time.Millisecond
	}
	if opts.HTTP2 != nil {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetHTTP1(!*opts.HTTP2)
		transport.Protocols.SetHTTP2(*opts.HTTP2)
		transport.Protocols.SetUnencryptedHTTP2(*opts.HTTP2)
	}
	if opts.TimeoutMS != nil {
		if *opts.TimeoutMS <= 0 {
			return nil, wrong("timeout_ms must be above 0")
		}
		client.Timeout = time.Duration(*opts.TimeoutMS) * time.Millisecond
	}
	return client, nil
}

// perform does one request. Its error is about the step; what the network did to it is in the reply.
func perform(client *http.Client, step request) (reply, error) {
	var body io.Reader
	if step.Body != nil {
		body = strings.NewReader(*step.Body)
	}
	req, err := http.NewRequest(step.Method, step.URL, body)
	if err != nil {
		return reply{}, wrong("request %d: %v", step.N, err)
	}
	for key, value := range step.Headers {
		req.Header.Set(key, value)
		if strings.EqualFold(key, "Host") {
			req.Host = value
		}
	}
	rep := reply{N: step.N}
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { rep.LocalPort = 0 },
		GotConn: func(got httptrace.GotConnInfo) { rep.LocalPort = got.Conn.LocalAddr().(*net.TCPAddr).Port },
	}))

	start := time.Now()
	resp, err := client.Do(req)
	if err == nil {
		var content []byte
		content, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		text, size := string(content[:min(len(content), 200)]), len(content)
		rep.Status, rep.Body, rep.Bytes = resp.StatusCode, &text, &size
	}
	rep.MS = math.Round(float64(time.Since(start))/float64(time.Millisecond)*10) / 10
	if err != nil {
		rep.Error = &failure{classify(err), err.Error()}
	}
	return rep, nil
}

func classify(err error) string {
	is := func(targets ...error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
	var timeout interface{ Timeout() bool }
	switch {
	case is(syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED):
		return "reset"
	case is(syscall.ECONNREFUSED):
		return "refused"
	case is(syscall.EHOSTUNREACH, syscall.ENETUNREACH):
		return "unreachable"
	// ETIMEDOUT too is an error whose Timeout() is true.
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case is(io.EOF, io.ErrUnexpectedEOF):
		return "eof"
	// net/http does not export this one: the server's FIN was there before the request was sent.
	case strings.Contains(err.Error(), "server closed idle connection"):
		return "eof"
	}
	return "other"
}
