package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"rstlab/lab/scenario"
)

// TapImage is the image of the taps.
const TapImage = "rstlab/tap"

// ErrConfig says that nginx refuses a config file.
var ErrConfig = errors.New("nginx refuses the config")

// CheckConfigs has nginx itself read each config file (nginx -t), in a host
// where the names of all services resolve. The error is nginx's own message,
// with the file's own name.
func (e *Engine) CheckConfigs(ctx context.Context, t *Topology, images map[string]string, paths []string) error {
	var r request
	var hosts []string
	nginx, err := t.service(scenario.Nginx)
	if err != nil {
		return err
	}
	r.service, r.image = nginx, images[nginx.image]
	for _, s := range t.services {
		hosts = append(hosts, s.name+":127.0.0.1")
	}
	r.labels, r.extraHosts, r.files = e.labels(false), hosts, nil
	in := map[string]string{} // path in the host -> the user's path
	for i, path := range paths {
		to := fmt.Sprintf("/tmp/%d-%s", i, filepath.Base(path))
		r.files = append(r.files, file{from: path, to: to})
		in[to] = path
	}
	h, err := e.start(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = h.remove() }()
	var errs []error
	for _, f := range r.files {
		_, errout, code, err := h.exec(ctx, "nginx", "-t", "-q", "-c", f.to)
		if err != nil {
			return err
		}
		if code != 0 {
			message := strings.ReplaceAll(strings.TrimSpace(errout), f.to, in[f.to])
			errs = append(errs, fmt.Errorf("%w %s:\n%s%s", ErrConfig, in[f.to], message, hint(message)))
		}
	}
	return errors.Join(errs...)
}

// hint says what the lab needs of a config, where nginx's message alone would
// leave its reader to guess.
func hint(message string) string {
	switch {
	case strings.Contains(message, "directive is not allowed here"), strings.Contains(message, `no "events" section`):
		return "\n(a whole nginx.conf is wanted, with events, http and server)"
	case strings.Contains(message, "host not found in upstream"):
		return "\n(the server behind nginx is backend:8080 here)"
	case strings.Contains(message, `open() "/tmp/`):
		return "\n(an included file is not brought along: a config is one file here)"
	}
	return ""
}
