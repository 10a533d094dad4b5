package tests

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/bench"
	"rstlab/lab/catalogue"
	"rstlab/lab/matrix"
	"rstlab/lab/report"
)

// TestByHand does what `lab show` says under "by hand", to the letter, on hosts
// that stand: the failure is there without the lab.
func TestByHand(t *testing.T) {
	e := engine(t)
	root, _, _ := plain(t, e)
	t.Cleanup(func() { os.Remove(report.Answers) })
	for id, sees := range map[string]string{
		"stale-idle":             `"n":2,"error":{"class":"eof","text":"java.io.IOException: unexpected end of stream on`,
		"backend-process-killed": "502 Bad Gateway",
		"upstream-stale-post":    "502 Bad Gateway", // the gate loses the FIN
		"499-fin":                `{"n":1,"local_port":`,
	} {
		t.Run(id, func(t *testing.T) {
			found, err := catalogue.Find(id)
			require.NoError(t, err)
			s := found[0].Filled()
			conf, err := matrix.ConfigPath(root, s.Nginx)
			require.NoError(t, err)
			topology, err := bench.LoadTopology(t.Context(), root, bench.Axes{Client: s.Client, Backend: s.Backend, NginxConf: conf, Overlay: s.Compose})
			require.NoError(t, err)
			images, err := e.Images(t.Context(), root, bench.ImagesOf(topology), loud{t})
			require.NoError(t, err)
			b, err := e.Up(t.Context(), topology, images)
			require.NoError(t, err)
			defer b.Remove()
			hosts, err := b.Standing(t.Context())
			require.NoError(t, err)
			name := func(host string) string {
				at := slices.IndexFunc(hosts, func(h bench.Standing) bool { return h.Name == host })
				require.GreaterOrEqual(t, at, 0, host)
				return hosts[at].Container
			}
			hand := exec.CommandContext(t.Context(), "bash", "-c", strings.Join(report.ByHand(s, name), "\n"))
			hand.Env = append(hand.Environ(), "DOCKER_HOST="+e.Address)
			said, err := hand.CombinedOutput()
			require.NoError(t, err, "%s", said)
			assert.Contains(t, string(said), sees)
		})
	}
}
