package bench

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"rstlab/lab/agent/protocol"
	"rstlab/lab/scenario"
)

// counterFiles count what a namespace's kernel did; anybody in it may read
// them (RFC 4022 names those of snmp, net/ipv4/proc.c those of TcpExt).
var counterFiles = []string{"/proc/net/snmp", "/proc/net/netstat"}

// counters returns all counters of a host's namespace.
func (h *host) counters(ctx context.Context) (map[string]int64, error) {
	all := map[string]int64{}
	for _, path := range counterFiles {
		e, err := h.ask(ctx, protocol.Command{Do: protocol.Read, Path: path})
		if err != nil {
			return nil, err
		}
		parseCounters(string(e.Data), all)
	}
	return all, nil
}

// parseCounters reads pairs of lines: "Tcp: name name ..." and "Tcp: 1 2 ...".
func parseCounters(data string, into map[string]int64) {
	var names []string
	for line := range strings.Lines(data) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(names) != len(f) || names[0] != f[0] {
			names = f
			continue
		}
		for i := 1; i < len(f); i++ {
			if n, err := strconv.ParseInt(f[i], 10, 64); err == nil {
				into[f[0]+names[i]] = n
			}
		}
		names = nil
	}
}

// moved returns the counters of TCP and ICMP that changed, by name.
func moved(before, after map[string]int64) []scenario.Counter {
	var all []scenario.Counter
	for name, n := range after {
		if n != before[name] && (strings.HasPrefix(name, "Tcp") || strings.HasPrefix(name, "Icmp:")) {
			all = append(all, scenario.Counter{Name: name, Before: before[name], After: n})
		}
	}
	slices.SortFunc(all, func(a, b scenario.Counter) int { return strings.Compare(a.Name, b.Name) })
	return all
}
