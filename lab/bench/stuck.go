package bench

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"rstlab/lab/agent/protocol"
)

// lastWords is how long an agent that does not answer has to say where it was.
const lastWords = 5 * time.Second

// stuck ends an agent that has not answered a command in time, and returns an error
// that says where it was: SIGQUIT has a Go program tell its goroutines' stacks.
func (h *host) stuck(what protocol.Verb, late error) error {
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	h.mu.Lock()
	before := h.stderr.Len()
	h.mu.Unlock()
	_, err := h.client.ContainerKill(ctx, h.container.GetContainerID(), client.ContainerKillOptions{Signal: "QUIT"})
	select {
	case <-h.gone:
	case <-ctx.Done():
		err = errors.Join(err, ctx.Err())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	where := strings.Join(goroutines(h.stderr.String()[before:]), ", ")
	if where == "" {
		where = fmt.Sprintf("it did not say where it was either (%v)", err)
	} else {
		where = "it was in " + where
	}
	h.why = fmt.Errorf("host %s: %s: %w; %s", h.name, what, late, where)
	return h.why
}

var (
	goroutine = regexp.MustCompile(`(?m)^goroutine \d+ .*\[(.*)\]:$`)
	mainFrame = regexp.MustCompile(`(?m)^main\.(\S+)\(`)
)

// goroutines gives, of the stacks of a Go program (GOTRACEBACK=single or all), the
// innermost function of package main in each, and its state: "(*host).run [IO wait]".
func goroutines(stacks string) []string {
	var all []string
	for _, one := range strings.Split(stacks, "\n\n") {
		state, at := goroutine.FindStringSubmatch(one), mainFrame.FindStringSubmatch(one)
		if state != nil && at != nil {
			all = append(all, at[1]+" ["+state[1]+"]")
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
