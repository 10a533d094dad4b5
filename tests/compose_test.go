package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// composeCommand returns the Compose tool of this machine: the docker plugin,
// or docker-compose.
func composeCommand(t *testing.T) []string {
	t.Helper()
	if exec.Command("docker", "compose", "version").Run() == nil {
		return []string{"docker", "compose"}
	}
	if _, err := exec.LookPath("docker-compose"); err == nil {
		return []string{"docker-compose"}
	}
	t.Skip("neither docker compose nor docker-compose is installed")
	return nil
}

// TestComposeByItself brings docker-compose.yml up with Compose's own tool and
// finds what the lab makes of it: the same hosts, reached by the same names,
// with the same answer.
func TestComposeByItself(t *testing.T) {
	e := engine(t)
	root, topology, _ := plain(t, e)
	compose := append(composeCommand(t), "--project-name", strings.ToLower(filepath.Base(filepath.Dir(t.TempDir()))), "--project-directory", root, "-f", filepath.Join(root, "docker-compose.yml"))
	run := func(args ...string) string {
		t.Helper()
		argv := slices.Concat(compose, args)
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), "DOCKER_HOST="+e.Address)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	t.Cleanup(func() { run("down", "--timeout", "0") })
	run("up", "--detach")
	assert.ElementsMatch(t, topology.Services(), strings.Fields(run("config", "--services")))
	for _, service := range topology.Services() {
		assert.NotEmpty(t, strings.TrimSpace(run("ps", "--quiet", service)), "%s does not run", service)
	}
	answer := run("exec", "-T", "client", "curl", "-sS", "--retry", "50", "--retry-connrefused", "--retry-delay", "0", "--max-time", "20",
		"-w", "%{http_code}", "http://test.foo.com/test")
	assert.Contains(t, answer, "answered by Node.js")
	assert.Contains(t, answer, "200")
	assert.Contains(t, run("exec", "-T", "nginx-tap", "ss", "-Htln"), ":80", "the tap shares the namespace of nginx")
}
