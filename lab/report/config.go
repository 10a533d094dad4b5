package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// ConfigDifference says how one nginx config differs from another: the
// directives that are gone (-) and those that are new (+), without comments.
func ConfigDifference(own, theirs string) (string, error) {
	lines, err := Changes(own, theirs)
	if err != nil {
		return "", err
	}
	if lines == nil {
		return filepath.Base(theirs) + " says the same as " + filepath.Base(own), nil
	}
	const most = 12
	if more := len(lines) - most; more > 0 {
		lines = append(lines[:most], fmt.Sprintf("and %d lines more", more))
	}
	return filepath.Base(theirs) + " differs from " + filepath.Base(own) + ":\n" + strings.Join(lines, "\n"), nil
}

// Changes returns the directives that a config has not (-) and has (+) in
// comparison with another, a line each.
func Changes(from, to string) ([]string, error) {
	a, err := directives(from)
	if err != nil {
		return nil, err
	}
	b, err := directives(to)
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(string(diff.Diff("", a, "", b))) {
		line = strings.TrimRight(line, "\n")
		if len(line) > 1 && (line[0] == '-' || line[0] == '+') && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "+++") {
			lines = append(lines, Printable(line[:1]+" "+strings.TrimSpace(line[1:])))
		}
	}
	return lines, nil
}

// directives returns a config without comments, indentation and empty lines.
func directives(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return []byte(b.String()), nil
}
