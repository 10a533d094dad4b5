package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = os.Getenv("UPDATE") != "" // UPDATE=1 go test ./tests -run TestCLI rewrites what the scripts expect

func TestMain(m *testing.M) { os.Exit(withLab(m)) }

// withLab builds the command once and runs the tests with it on PATH.
func withLab(m *testing.M) int {
	bin, err := os.MkdirTemp("", "rstlab-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer os.RemoveAll(bin)
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "lab"), "../lab").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the lab command: %v\n%s", err, out)
		return 2
	}
	os.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return m.Run()
}

// TestCLI plays the scripts in testdata: each is the command as its user types
// it, and what it answers. Those in docker/ need an engine.
func TestCLI(t *testing.T) {
	params := testscript.Params{
		Dir:           "testdata/cli",
		UpdateScripts: update,
		Setup: func(env *testscript.Env) error {
			root, err := filepath.Abs("..")
			if err != nil {
				return err
			}
			for _, name := range []string{"PATH", "HOME", "GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY", "DOCKER_HOST"} {
				if value := os.Getenv(name); value != "" {
					env.Setenv(name, value)
				}
			}
			env.Setenv("ROOT", root)
			env.Setenv("DATA", filepath.Join(root, "tests", "testdata"))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	}
	testscript.Run(t, params)
	if testing.Short() {
		t.Log("left out by -short: testdata/cli/docker, which plays on real containers")
		return
	}
	params.Dir = "testdata/cli/docker"
	testscript.Run(t, params)
}
