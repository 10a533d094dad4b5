package tests

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/bench"
	"rstlab/lab/catalogue"
	"rstlab/lab/gate/protocol"
	"rstlab/lab/matrix"
	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
)

// mayImport is the import law: which packages of the lab each package may
// import, and why not more.
var mayImport = map[string]struct {
	packages []string
	reason   string
}{
	"backends/scripted":  {[]string{"lab/script", "lab/script/play"}, "it is a small static program: an image's inputs are what it imports"},
	"lab":                {[]string{"lab/bench", "lab/catalogue", "lab/matrix", "lab/report", "lab/scenario", "lab/search", "lab/tcp", "lab/verdict"}, "the command only joins the parts"},
	"lab/agent":          {[]string{"lab/agent/protocol"}, "it is copied into every host: small, static, and an image's inputs are its folder alone"},
	"lab/agent/protocol": {nil, "it is shared by both ends of the line to a host"},
	"lab/bench":          {[]string{"lab/agent/protocol", "lab/gate/protocol", "lab/scenario", "lab/script", "lab/tcp"}, "it plays and records; judging is verdict's"},
	"lab/catalogue":      {[]string{"lab/scenario", "lab/script"}, "a scenario is data"},
	"lab/clients":        {nil, "the contract stands alone: a client can be written in any language"},
	"lab/clients/go":     {nil, "a client's image is built from its folder alone"},
	"lab/clients/raw":    {[]string{"lab/script", "lab/script/play"}, "it is a small static program: an image's inputs are what it imports"},
	"lab/gate":           {[]string{"lab/gate/protocol"}, "it stands alone: small, static, copied into the taps"},
	"lab/gate/protocol":  {nil, "it is shared by both ends of the line to a gate"},
	"lab/matrix":         {[]string{"lab/bench", "lab/scenario", "lab/verdict"}, "it plays cells and keeps evidence; views are report's"},
	"lab/report":         {[]string{"lab/scenario", "lab/script", "lab/search", "lab/tcp", "lab/verdict"}, "it only looks at results"},
	"lab/scenario":       {[]string{"lab/script", "lab/tcp"}, "pure data, in tcp's words"},
	"lab/script":         {nil, "pure data: small programs in images read it too"},
	"lab/script/play":    {[]string{"lab/script"}, "small programs in images play with it"},
	"lab/search":         {[]string{"lab/scenario"}, "pure: a list needs no Docker and no checkout"},
	"lab/tcp":            {nil, "pure: explain must work with no Docker and no checkout"},
	"lab/verdict":        {[]string{"lab/scenario", "lab/tcp"}, "pure: values in, values out"},
	"tests":              {[]string{"lab/bench", "lab/catalogue", "lab/gate/protocol", "lab/matrix", "lab/report", "lab/scenario", "lab/tcp", "lab/verdict"}, "it crosses packages"},
}

// onlyIn says where a module from outside may be imported.
var onlyIn = map[string]struct {
	packages []string
	reason   string
}{
	"github.com/testcontainers/": {[]string{"lab/bench"}, "one package knows Docker"},
	"github.com/compose-spec/":   {[]string{"lab/bench"}, "one package knows the topology"},
	"github.com/moby/":           {[]string{"lab/bench"}, "one package knows Docker"},
	"github.com/containerd/":     {[]string{"lab/bench"}, "one package knows Docker"},
	"github.com/gopacket/":       {[]string{"lab/tcp"}, "one package knows captures"},
	"golang.org/x/net/":          {[]string{"lab/tcp"}, "one package reads protocols"},
	"github.com/spf13/cobra":     {[]string{"lab"}, "one package knows the command line"},
	"github.com/google/nftables": {[]string{"lab/gate"}, "one package knows netfilter"},
	"github.com/mdlayher/":       {[]string{"lab/agent", "lab/gate"}, "only what runs in a namespace talks to its kernel"},
}

func TestImportLaw(t *testing.T) {
	seen := map[string]map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			if entry != nil && entry.IsDir() && (entry.Name() == "out" || entry.Name() == ".git") {
				return fs.SkipDir
			}
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		require.NoError(t, err)
		pkg := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, "../")))
		if seen[pkg] == nil {
			seen[pkg] = map[string]bool{}
		}
		for _, i := range file.Imports {
			name := strings.Trim(i.Path.Value, `"`)
			if own, ok := strings.CutPrefix(name, "rstlab/"); ok {
				if !strings.HasSuffix(path, "_test.go") {
					seen[pkg][own] = true
				}
				law, known := mayImport[pkg]
				inner := pkg == own || strings.HasPrefix(own, pkg+"/")
				assert.True(t, known && (inner || slices.Contains(law.packages, own)), "%s imports %s: %s", path, own, law.reason)
			}
			for prefix, law := range onlyIn {
				if strings.HasPrefix(name, prefix) {
					within := func(p string) bool { return pkg == p || strings.HasPrefix(pkg, p+"/") && p != "lab" }
					assert.True(t, slices.ContainsFunc(law.packages, within), "%s imports %s: %s", path, name, law.reason)
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	for pkg, law := range mayImport {
		if !assert.Contains(t, seen, pkg, "the law names a package that is not there") || pkg == "tests" {
			continue
		}
		for _, p := range law.packages {
			assert.Contains(t, seen[pkg], p, "the law lets %s import %s, which it does not", pkg, p)
		}
	}
}

func TestTopLevel(t *testing.T) {
	allowed := []string{"lab", "compose", "nginx", "backends", "tests", "go.mod", "go.sum", "docker-compose.yml", "Makefile",
		"README.md", "LICENSE", ".ci", ".gitignore"}
	tracked, err := exec.Command("git", "-C", "..", "ls-files", "-z").Output()
	if err != nil {
		t.Skip("this is no git checkout: what belongs to it cannot be told from what lies in it")
	}
	for file := range strings.SplitSeq(strings.TrimSuffix(string(tracked), "\x00"), "\x00") {
		top, _, _ := strings.Cut(file, "/")
		assert.Contains(t, allowed, top)
	}
}

// TestScenarioNames holds the catalogue and the folders together, both ways.
func TestScenarioNames(t *testing.T) {
	used := map[string]bool{}
	byID := map[string]scenario.Scenario{}
	for _, s := range catalogue.All() {
		byID[s.ID] = s
	}
	for _, s := range catalogue.All() {
		assert.FileExists(t, filepath.Join("..", "lab", "catalogue", s.ID+".go"))
		assert.NotEmpty(t, s.Title, s.ID)
		assert.NotEmpty(t, s.Why, s.ID)
		assert.NotEmpty(t, s.Refs, s.ID)
		assert.NotEmpty(t, s.Play, s.ID)
		assert.NotEmpty(t, s.Control.What, "%s: a control proves that its expectations can tell", s.ID)
		if s.Fixes != "" {
			assert.Contains(t, byID, s.Fixes, "%s fixes a failure that is not there", s.ID)
		}
		for _, v := range []scenario.Scenario{s.Filled(), s.Control.Apply(s).Filled()} {
			used["nginx/"+v.Nginx+".conf"] = true
			used["lab/clients/"+v.Client+"/Dockerfile"] = true
			used["backends/"+v.Backend+"/Dockerfile"] = true
		}
	}
	for path := range used {
		assert.FileExists(t, filepath.Join("..", path))
	}
	for _, pattern := range []string{"nginx/*.conf", "lab/clients/*/Dockerfile", "backends/*/Dockerfile"} {
		paths, err := filepath.Glob(filepath.Join("..", pattern))
		require.NoError(t, err)
		for _, p := range paths {
			assert.Contains(t, used, strings.TrimPrefix(p, "../"), "nobody uses it")
		}
	}
	files, err := filepath.Glob("../lab/catalogue/*.go")
	require.NoError(t, err)
	for _, f := range files {
		id := strings.TrimSuffix(filepath.Base(f), ".go")
		if id != "catalogue" && !strings.HasSuffix(id, "_test") {
			assert.Contains(t, byID, id, "a file of the catalogue is named as its scenario")
		}
	}
}

// TestConfigsSayWhatDiffers: the first comment of a config is what a reader
// sees first.
func TestConfigsSayWhatDiffers(t *testing.T) {
	for _, name := range matrix.Variants("..") {
		data, err := os.ReadFile(filepath.Join("..", "nginx", name+".conf"))
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(string(data), "# "), "nginx/%s.conf begins with what differs and why", name)
	}
}

// TestComposeDefaults: docker-compose.yml by itself is the plain scenario.
func TestComposeDefaults(t *testing.T) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	plain := scenario.Scenario{}.Filled()
	byItself, err := bench.LoadTopology(t.Context(), root, bench.Axes{})
	require.NoError(t, err)
	declared, err := bench.LoadTopology(t.Context(), root, bench.Axes{Client: plain.Client, Backend: plain.Backend,
		NginxVersion: bench.DefaultNginx, NginxConf: filepath.Join(root, "nginx", plain.Nginx+".conf")})
	require.NoError(t, err)
	assert.Equal(t, declared, byItself)
}

// TestNothingPublished: an image that EXPOSEs a port would have it published
// on every interface of the machine.
func TestNothingPublished(t *testing.T) {
	expose := regexp.MustCompile(`(?mi)^\s*EXPOSE\b`)
	for _, pattern := range []string{"../nginx/Dockerfile", "../compose/*/Dockerfile", "../backends/*/Dockerfile", "../lab/clients/*/Dockerfile"} {
		paths, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, paths, pattern)
		for _, p := range paths {
			data, err := os.ReadFile(p)
			require.NoError(t, err)
			assert.False(t, expose.Match(data), "%s: EXPOSE", p)
		}
	}
}

// TestGateOrders: a gate stands alone, and yet takes a scenario's words.
func TestGateOrders(t *testing.T) {
	assert.EqualValues(t, scenario.FINFirst, protocol.FINFirst)
	assert.EqualValues(t, scenario.RSTFirst, protocol.RSTFirst)
	assert.EqualValues(t, scenario.FINLost, protocol.FINLost)
}

// TestClosedSets: a cause or a kind that does not exist would never be seen.
func TestClosedSets(t *testing.T) {
	kinds := []tcp.ResetKind{"", tcp.ToSYN, tcp.ToDataAfterClose, tcp.NoConnection, tcp.Abort, tcp.ProbeTimeout, tcp.Forged, tcp.AfterClose}
	causes := []tcp.Cause{""}
	advice := []string{tcp.AlertAdvice}
	for _, c := range tcp.Causes {
		causes, advice = append(causes, c.Cause), append(advice, c.Advice)
	}
	for _, text := range advice {
		if _, id, ok := strings.Cut(text, "lab show "); ok {
			_, err := catalogue.Find(id)
			assert.NoError(t, err, text)
		}
	}
	for _, s := range catalogue.All() {
		wants := append([]scenario.Want{s.Want}, s.Or...)
		for _, since := range s.Since {
			wants = append(wants, since.Want)
		}
		for _, w := range wants {
			for _, e := range w.Ends {
				assert.Contains(t, causes, e.Cause, s.ID)
				assert.Contains(t, []tcp.Side{"", tcp.Client, tcp.Server, tcp.Both, tcp.None}, e.ClosedBy, s.ID)
			}
			for _, r := range w.Resets {
				assert.Contains(t, kinds, r.Kind, s.ID)
			}
			for _, r := range w.Replies {
				assert.Contains(t, []string{"", "reset", "eof", "timeout", "refused", "unreachable", "other"}, r.Class, s.ID)
			}
		}
	}
}
