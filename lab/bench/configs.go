package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"rstlab/lab/agent/protocol"
	"rstlab/lab/scenario"
)

// TapImage is the image of the taps.
const TapImage = "rstlab/tap"

// ErrConfig says that nginx refuses a config file.
var ErrConfig = errors.New("nginx refuses the config")

// ErrLacks says that nginx does not know a directive, or a value of one, that a
// config file uses: an older or a newer nginx might.
var ErrLacks = errors.New("nginx refuses the config for what it does not know")

// CheckConfigs has nginx itself read each config file (nginx -t), in a host
// where the names of all hosts of the topologies resolve, and returns what it
// says of those that it refuses, with the file's own name: ErrConfig, or
// ErrLacks. The nginx is that of the first topology.
func (e *Engine) CheckConfigs(ctx context.Context, images map[string]string, paths []string, topologies ...*Topology) (map[string]error, error) {
	nginx, err := topologies[0].service(scenario.Nginx)
	if err != nil {
		return nil, err
	}
	r := request{service: nginx, image: images[nginx.image], labels: e.labels(false)}
	for _, t := range topologies {
		for _, s := range t.services {
			if name := s.name + ":127.0.0.1"; !slices.Contains(r.extraHosts, name) {
				r.extraHosts = append(r.extraHosts, name)
			}
		}
	}
	h, err := e.start(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = h.remove() }()
	_, version, _, err := h.exec(ctx, "nginx", "-v")
	if err != nil {
		return nil, err
	}
	_, version, _ = strings.Cut(strings.TrimSpace(version), "version: ")
	refused := map[string]error{}
	for i, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		in := fmt.Sprintf("/tmp/%d-%s", i, filepath.Base(path))
		if _, err := h.ask(ctx, protocol.Command{Do: protocol.Write, Path: in, Data: data}); err != nil {
			return nil, err
		}
		_, errout, code, err := h.exec(ctx, "nginx", "-t", "-q", "-c", in, "-g", "daemon off;") // as it is started
		if err != nil {
			return nil, err
		}
		if code != 0 {
			message := strings.ReplaceAll(strings.TrimSpace(errout), in, path)
			sort := ErrConfig
			if lacks.MatchString(message) {
				sort = ErrLacks
			}
			refused[path] = fmt.Errorf("%w (%s) %s:\n%s%s", sort, version, path, message, hint(message))
		}
	}
	return refused, nil
}

// lacks matches what nginx says of a directive, or a value, that it does not know.
var lacks = regexp.MustCompile(`unknown directive|dlopen\(\) |invalid parameter|invalid value|unknown "[^"]*" variable`)

// hint says what the lab needs of a config, where nginx's message alone would
// leave its reader to guess.
func hint(message string) string {
	switch {
	case strings.Contains(message, "directive is not allowed here"), strings.Contains(message, `no "events" section`):
		return "\n(a whole nginx.conf is wanted, with events, http and server)"
	case strings.Contains(message, "host not found in upstream"):
		return "\n(the server behind nginx is backend:8080 here)"
	case strings.Contains(message, `"daemon" directive is duplicate`):
		return "\n(nginx is started with daemon off here: leave the directive out)"
	case strings.Contains(message, "does not listen on port 80;"):
		return "\n(the client asks for http://test.foo.com/test)"
	case strings.Contains(message, `open() "/tmp/`):
		return "\n(an included file is not brought along: a config is one file here)"
	}
	return ""
}
