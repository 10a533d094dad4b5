package matrix

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/scenario"
)

func TestWithServerIdle(t *testing.T) {
	for name, c := range map[string]struct{ conf, want string }{
		"set":       {"events {}\nhttp {\n  keepalive_timeout 5s 5s; # ours\n  upstream u {\n    keepalive_timeout 4s;\n  }\n}\n", "events {}\nhttp {\n  keepalive_timeout 61500ms; # ours\n  upstream u {\n    keepalive_timeout 4s;\n  }\n}\n"},
		"by server": {"http {\n  server {\n    keepalive_timeout 5s;\n  }\n}\n", "http {\n  server {\n    keepalive_timeout 61500ms;\n  }\n}\n"},
		"default":   {"http {\n  server {}\n}\n", "http {\n  server {}\nkeepalive_timeout 61500ms;}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.conf")
			require.NoError(t, os.WriteFile(path, []byte(c.conf), 0o600))
			out, err := withServerIdle(path, t.TempDir(), 61500*time.Millisecond)
			require.NoError(t, err)
			got, err := os.ReadFile(out)
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
		})
	}
	path := filepath.Join(t.TempDir(), "x.conf")
	require.NoError(t, os.WriteFile(path, []byte("events {}\n"), 0o600))
	_, err := withServerIdle(path, t.TempDir(), time.Second)
	assert.ErrorContains(t, err, "has no http block")
}

func TestWithClientIdle(t *testing.T) {
	play := []scenario.Step{scenario.Get("/"), scenario.Idle(time.Second), scenario.Get("/")}
	s, err := withClientIdle(scenario.Scenario{Play: play}, time.Minute)
	require.NoError(t, err)
	assert.Equal(t, time.Minute, s.Play[1].For)
	assert.Equal(t, time.Second, play[1].For, "the catalogue's own is left alone")
	_, err = withClientIdle(scenario.Scenario{ID: "x", Play: play[:1]}, time.Minute)
	assert.ErrorContains(t, err, "the client of x never rests")
}
