package matrix

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tufanbarisyildirim/gonginx/parser"

	"rstlab/lab/scenario"
)

// withClientIdle returns the scenario with every rest of its client as long as d.
func withClientIdle(s scenario.Scenario, d time.Duration) (scenario.Scenario, error) {
	s.Play = slices.Clone(s.Play)
	rests := 0
	for i := range s.Play {
		if s.Play[i].Do == scenario.DoIdle {
			s.Play[i].For = d
			rests++
		}
	}
	if rests == 0 {
		return s, fmt.Errorf("--client-idle: the client of %s never rests", s.ID)
	}
	return s, nil
}

// withServerIdle writes, into dir, the config at path with another
// keepalive_timeout towards clients, and returns the path of what it wrote. All
// else is as it was, line by line.
func withServerIdle(path, dir string, d time.Duration) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	lines := strings.Split(string(data), "\n")
	config, err := parser.NewStringParser(string(data)).Parse()
	if err != nil {
		return "", fmt.Errorf("--server-idle: reading %s: %w", path, err)
	}
	directive := fmt.Sprintf("keepalive_timeout %dms;", d.Milliseconds())
	set := false
	for _, found := range config.FindDirectives("keepalive_timeout") {
		if found.GetParent() == nil || found.GetParent().GetName() == "upstream" {
			continue // how long an idle connection to a back end is kept
		}
		line := &lines[found.GetLine()-1]
		before, rest, ok := strings.Cut(*line, "keepalive_timeout")
		_, after, ended := strings.Cut(rest, ";")
		if !ok || !ended {
			return "", fmt.Errorf("--server-idle: keepalive_timeout at %s:%d is not on one line", path, found.GetLine())
		}
		*line, set = before+directive+after, true
	}
	for _, http := range config.FindDirectives("http") {
		if set {
			break
		}
		line := &lines[http.GetLine()-1] // a block's line is that of its end
		end := strings.LastIndex(*line, "}")
		if end < 0 {
			return "", fmt.Errorf("--server-idle: the end of http is not found at %s:%d", path, http.GetLine())
		}
		*line, set = (*line)[:end]+directive+(*line)[end:], true
	}
	if !set {
		return "", fmt.Errorf("--server-idle: %s has no http block", path)
	}
	out := filepath.Join(dir, filepath.Base(path))
	return out, os.WriteFile(out, []byte(strings.Join(lines, "\n")), 0o644)
}
