package script

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestJSON: a script that has travelled is the script that was written.
func TestJSON(t *testing.T) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	want := Server{Backlog: 1, Deaf: true, Buffer: 4096, Conns: [][]Op{
		{},
		{ReadRequest(), ReadHead(), ReadResponse(), ReadEnd(), Read(3), Write("é <\xff>"), Write(string(every)), Fill(9),
			Answer(200, "yes").Slowly(2, time.Second), Rest(time.Millisecond), Say("a"), Wait("b"), TLS(), Buffer(1), Shut(), Close(), Reset(), Again()},
	}}
	data, err := json.Marshal(want)
	require.NoError(t, err)
	var got Server
	require.NoError(t, json.Unmarshal(data, &got))
	assert.Equal(t, want, got)

	data, err = json.Marshal(Write("GET / HTTP/1.1"))
	require.NoError(t, err)
	assert.JSONEq(t, `{"do":"write","text":"GET / HTTP/1.1"}`, string(data), "legible where it is ASCII")
	assert.ErrorContains(t, json.Unmarshal([]byte(`{"do":"write","text":"Ā"}`), &Op{}), "is no byte")
}

func TestServerScript(t *testing.T) {
	first, later := []Op{Close()}, []Op{Reset()}
	s := Server{Conns: [][]Op{first, later}}
	assert.Equal(t, first, s.Script(1))
	assert.Equal(t, later, s.Script(2))
	assert.Equal(t, later, s.Script(99), "the last is for all that come later")
	assert.Equal(t, []Op{ReadRequest(), Answer(200, "scripted\n"), Again()}, Server{}.Script(7))
}

func TestWords(t *testing.T) {
	for want, op := range map[string]Op{
		"read request":          ReadRequest(),
		"read 3 bytes":          Read(3),
		"write 9 bytes":         Fill(9),
		`write "a" and 9 bytes`: Write("a").Filled(9),
		`write "a\r\n"`:         Write("a\r\n"),
		`write "ab", a rest of 1s after every 1 bytes`: Write("ab").Slowly(1, time.Second),
		"rest for 2s":                  Rest(2 * time.Second),
		`wait "go"`:                    Wait("go"),
		"receive buffer of 4096 bytes": Buffer(4096),
		"reset":                        Reset(),
	} {
		assert.Equal(t, want, op.String())
	}
}
