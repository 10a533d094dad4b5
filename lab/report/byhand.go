package report

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

// Names gives the container that a host, or the tap beside it, is.
type Names func(host string) string

// Placeholders names containers in capitals, for who has none yet.
func Placeholders(host string) string { return strings.ToUpper(host) }

// ByHand returns the shell commands that do what a play does, on the hosts
// that `lab up` leaves standing: each step by itself, or, where the requests
// must come from the scenario's own client, all of them as that client's input.
func ByHand(s scenario.Scenario, name Names) []string {
	s = s.Filled()
	h := hand{Scenario: s, name: name, restarted: map[scenario.Host]bool{}}
	var lines []string
	for _, host := range []scenario.Host{scenario.Backend, scenario.Backend2} {
		if h.script(host) != "" { // it runs, without its script
			lines = append(lines, h.line(scenario.Kill(host)), h.line(scenario.Start(host)))
		}
	}
	if !ownClient(s) {
		for _, step := range s.Play {
			lines = append(lines, h.line(step))
		}
		return lines
	}
	lines = append(lines,
		fmt.Sprintf(`rm -f %s; answered() { %s; }`, Answers, until(`grep -qs "\"n\":$1[,}]" `+Answers)),
		"{ "+say(s.Options.Contract()))
	var begun []int
	n := 0
	for _, step := range s.Play {
		line := h.line(step)
		switch {
		case step.Do == scenario.DoRequest:
			n++
			line = say(request(step, n))
			if step.Begin {
				begun = append(begun, n)
			} else {
				line += "; " + answered(n)
			}
		case step.Do == scenario.DoTell && step.Host == scenario.Client:
			line = say(map[string]string{"tell": step.Event})
		case step.Do == scenario.DoSaid && step.Host == scenario.Client:
			line = until("grep -qs " + quote(fmt.Sprintf(`"said":%q`, step.Event)) + " " + Answers)
		case step.Do == scenario.DoFinish:
			line = answered(begun...)
			begun = nil
		case step.Do != scenario.DoStart && (strings.HasPrefix(line, "docker ") || strings.HasPrefix(line, "grep ")):
			line += " >&2" // the client's input is no place for what it says
		}
		lines = append(lines, "  "+line)
	}
	return append(lines, fmt.Sprintf("} | docker exec -i %s %s | tee %s", name("client"), program(name("client")), Answers))
}

// Answers is where what the client says is kept, for the next step to wait for.
const Answers = "/tmp/rstlab-answers"

// answered waits for the outcomes of requests.
func answered(requests ...int) string {
	var all []string
	for _, n := range requests {
		all = append(all, fmt.Sprintf("answered %d", n))
	}
	return strings.Join(all, "; ")
}

// until waits until a command succeeds.
func until(command string) string { return "until " + command + "; do sleep 0.1; done" }

// hand does the steps of a play, one after the other.
type hand struct {
	scenario.Scenario
	name      Names
	restarted map[scenario.Host]bool // whose server is no child of the agent any more
}

func (h hand) line(s scenario.Step) string {
	switch {
	case s.Do == scenario.DoStart && s.Host != scenario.Nginx:
		h.restarted[s.Host] = true
		if script := h.script(s.Host); script != "" {
			host := h.name(string(s.Host))
			return fmt.Sprintf(`docker exec -d %s sh -c 'rm -f %[2]s; mkfifo %[2]s; exec "$@" <>%[2]s >%[3]s' - %[4]s %[5]s; %[6]s`,
				host, told, said, program(host), script, until(fmt.Sprintf(`docker exec %s grep -qs listening %s`, host, said)))
		}
		return Shell(s, h.name) + "; sleep 1"
	case s.Do == scenario.DoKill && h.restarted[s.Host]:
		return Shell(scenario.Signal(s.Host, "KILL", scenario.All), h.name)
	}
	return Shell(s, h.name)
}

// script is the argument that makes a scripted server of a host; "" where it
// needs none.
func (h hand) script(of scenario.Host) string {
	server := map[scenario.Host]*script.Server{scenario.Backend: h.Server, scenario.Backend2: h.Second}[of]
	if server == nil {
		return ""
	}
	return quote(asJSON(server))
}

// What a server with a script is told and says, and what a gate says, on their
// hosts.
const (
	told  = "/tmp/told"
	said  = "/tmp/said"
	gated = "/tmp/gate"
)

// ownClient says whether curl, which makes a connection for each request,
// cannot stand in for the scenario's client: where that was chosen or set up,
// and where it is the client's connection that the play is about.
func ownClient(s scenario.Scenario) bool {
	if s.Client != (scenario.Scenario{}).Filled().Client || s.Options != (scenario.Options{}) {
		return true
	}
	atHost := slices.ContainsFunc(s.Play, func(step scenario.Step) bool { return step.Host != "" })
	sick := slices.ContainsFunc(s.Want.Ends, func(e scenario.End) bool {
		return e.Client == scenario.Client && e.Cause != "" && !e.Cause.Healthy()
	})
	return s.Requests() > 1 && (sick || !atHost)
}

// program is the expression for what an image runs.
func program(container string) string {
	return fmt.Sprintf(`$(docker inspect -f '{{join .Config.Cmd " "}}' %s)`, container)
}

// network is the expression for the network that a container is on.
func network(container string) string {
	return fmt.Sprintf("$(docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}' %s)", container)
}

// request is a line of the clients' contract.
func request(s scenario.Step, n int) any {
	headers := map[string]string{}
	for _, h := range s.Header {
		name, value, _ := strings.Cut(h, ":")
		headers[name] = strings.TrimSpace(value)
	}
	return struct {
		N       int               `json:"n"`
		Method  string            `json:"method,omitempty"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers,omitempty"`
		Body    string            `json:"body,omitempty"`
		Conn    string            `json:"conn,omitempty"`
		Script  []script.Op       `json:"script,omitempty"`
	}{n, s.Method, s.URL, headers, s.Body, s.Conn, s.Script}
}

// say writes a line of JSON. Some shells' echo takes a backslash for its own.
func say(v any) string {
	line := quote(asJSON(v))
	if strings.Contains(line, `\`) {
		return `printf '%s\n' ` + line
	}
	return "echo " + line
}

func asJSON(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // of strings and numbers
	return strings.TrimSpace(b.String())
}

// Shell returns the command that does by hand what a step does; a comment
// where there is none, which says what the lab does.
func Shell(s scenario.Step, name Names) string {
	on := func(command string) string { return fmt.Sprintf("docker exec %s %s", name(string(s.Host)), command) }
	tap := func(command string) string {
		return fmt.Sprintf("docker exec %s %s", name(string(s.Host)+"-tap"), command)
	}
	signal := func(signal, whom string) string { return on(fmt.Sprintf("sh -c 'kill -s %s %s'", signal, whom)) }
	const (
		everyone = "-- -1" // but PID 1, which is the host's agent, and the caller
		leader   = "$(cat /proc/1/task/*/children)"
		workers  = `$(for leader in $(cat /proc/1/task/*/children); do cat /proc/$leader/task/*/children; done)`
	)
	switch s.Do {
	case scenario.DoRequest:
		if s.Script == nil {
			return curl(s, name)
		}
	case scenario.DoFinish:
		return "wait"
	case scenario.DoIdle:
		return fmt.Sprintf("sleep %g", s.For.Seconds())
	case scenario.DoQuiet:
		return "sleep 1"
	case scenario.DoSaid:
		return until(on("grep -q " + quote(fmt.Sprintf(`"said".*%q`, s.Event)) + " " + said))
	case scenario.DoTell:
		return on(fmt.Sprintf(`sh -c 'echo "{\"tell\":\"%s\"}" >%s'`, s.Event, told))
	case scenario.DoLogged:
		return until(on("grep -qrF " + quote(s.Event) + " /var/log/nginx"))
	case scenario.DoEnded:
		return until(on(`sh -c 'test -z "$(cat /proc/1/task/*/children)"'`))
	case scenario.DoGate:
		return fmt.Sprintf(`docker exec -d %s sh -c 'sleep infinity | /lab/gate -order "%s" -port %d >%s'; %s`,
			name(string(s.Host)+"-tap"), s.Order, s.GatePort(), gated, until(tap("grep -qs ready "+gated)))
	case scenario.DoHeld:
		return until(tap("grep -qE " + quote(`-held|fin-dropped.*"copies":[2-9]`) + " " + gated))
	case scenario.DoKill:
		return on("/lab/agent kill")
	case scenario.DoKillHost:
		host := name(string(s.Host))
		return fmt.Sprintf("docker network disconnect -f %[2]s %[1]s && docker kill %[1]s", host, network(host))
	case scenario.DoSocket:
		return until(tap("ss -Htan") + " | grep -q " + s.Event)
	case scenario.DoMove:
		host := name(string(s.Host))
		return fmt.Sprintf("net=%[3]s; docker network disconnect $net %[1]s; docker network connect --alias %[2]s $net %[1]s", host, s.Host, network(host))
	case scenario.DoStart:
		if s.Host == scenario.Nginx {
			return on("nginx")
		}
		return fmt.Sprintf("docker exec -d %s %s", name(string(s.Host)), program(name(string(s.Host))))
	case scenario.DoReload:
		if s.Host == scenario.Nginx {
			return on("nginx -s reload")
		}
		return signal("HUP", leader)
	case scenario.DoPause:
		return signal("STOP", everyone)
	case scenario.DoSignal:
		return signal(s.Signal, map[scenario.Whom]string{scenario.All: everyone, scenario.Leader: leader, scenario.Workers: workers}[s.To])
	case scenario.DoFilter:
		rule := names.ReplaceAllString(s.Rule, "$1")
		chain, _, _ := strings.Cut(rule, " ")
		return tap(fmt.Sprintf("nft 'add table inet rstlab; add chain inet rstlab %[1]s { type filter hook %[1]s priority 0; }; add rule inet rstlab %[2]s'", chain, rule))
	case scenario.DoUnfilter:
		return tap("nft delete table inet rstlab")
	case scenario.DoDestroy:
		return tap("ss -tHK state all exclude listening")
	case scenario.DoAwait:
		// Without a pipe: tcpdump would have to say something more for that to end.
		return fmt.Sprintf(`grep -m1 '%s Flags \[%s\]' < <(docker logs -f --since 2s %s)`,
			ports(s.Await), strings.ReplaceAll(s.Await.Flags, ".", `\.`), name("nginx-tap"))
	}
	return "# by the lab alone: " + s.String()
}

// names matches the hosts of a firewall rule, which nft(8) looks up by itself.
var names = regexp.MustCompile(`\{(\w+)\}`)

// ports matches the direction of a segment in a line of tcpdump's, by the port
// of the server.
func ports(s scenario.Segment) string {
	port := map[bool]string{true: "8080", false: "80"}[s.From == scenario.Backend || s.To == scenario.Backend]
	if s.From == scenario.Backend || s.From == scenario.Nginx && s.To == scenario.Client {
		return `\.` + port + ` > .*`
	}
	return ` > .*\.` + port + `:`
}

func curl(s scenario.Step, name Names) string {
	words := []string{"docker exec", name(string(scenario.Client)), "curl -v"}
	if s.Method != "GET" && s.Method != "POST" {
		words = append(words, "-X", s.Method)
	}
	for _, h := range s.Header {
		words = append(words, "-H", quote(h))
	}
	if s.Body != "" || s.Method == "POST" {
		words = append(words, "--data-binary", quote(s.Body))
	}
	words = append(words, quote(s.URL))
	if s.Begin {
		words = append(words, "&")
	}
	return strings.Join(words, " ")
}

var plain = regexp.MustCompile(`^[\w./:@%+=,-]+$`)

// quote makes one word of the shell of a text.
func quote(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
