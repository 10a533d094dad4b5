// Package protocol is what a conductor and the agent of a host say to each
// other: one JSON value a line, commands on the agent's standard input, events
// on its standard output. The transport is Docker's attach.
package protocol

// Verb is what a Command asks for.
type Verb string

const (
	// Start starts Argv as a process called Name, the leader of a process group
	// of its own. Its output comes as Output events.
	Start Verb = "start"
	// Signal sends Signal to Name: to its whole process group, with To Leader to
	// its first process alone, as `nginx -s` does, with Workers to the others.
	Signal Verb = "signal"
	// Input writes Data to the standard input of Name.
	Input Verb = "input"
	// Run runs Argv to its end and answers with its output and exit code.
	Run Verb = "run"
	// Read answers with the content of the file Path.
	Read Verb = "read"
	// Listening answers as soon as every port of Ports has a listening TCP
	// socket in this host's namespace, or with an error when Name has ended or
	// Within has passed.
	Listening Verb = "listening"
	// Write makes Data the content of the file Path.
	Write Verb = "write"
	// Follow tells every line of the file Path, those that are there and those
	// that are added, as Output events of Name.
	Follow Verb = "follow"
	// Reset kills every process of the host but the agent, ends every Follow, and
	// answers when nothing runs any more.
	Reset Verb = "reset"
	// Destroy has the kernel throw every TCP connection of this host's namespace
	// away, as ss -K does. It is an error if a socket is left then.
	Destroy Verb = "destroy"
	// Forget has the kernel forget what it remembers of this host's peers: TCP
	// metrics and neighbours.
	Forget Verb = "forget"
	// Packet sends Data, an IPv4 packet with its header, as it is (raw(7)).
	Packet Verb = "packet"
	// Datagram sends Data as one UDP datagram to the address Path.
	Datagram Verb = "datagram"
)

// Command is one line from the conductor. Every command is answered by one
// event whose Re is its ID.
type Command struct {
	ID     int      `json:"id"`
	Do     Verb     `json:"do"`
	Name   string   `json:"name,omitempty"`
	Argv   []string `json:"argv,omitempty"`
	Raw    bool     `json:"raw,omitempty"` // Start: standard output is bytes, not lines
	Signal int      `json:"signal,omitempty"`
	To     Whom     `json:"to,omitempty"` // Signal: "" is the whole group
	Data   []byte   `json:"data,omitempty"`
	Path   string   `json:"path,omitempty"`
	Ports  []int    `json:"ports,omitempty"`
	Within int64    `json:"within,omitempty"` // Listening: nanoseconds
}

// Whom a Signal goes to.
type Whom string

const (
	Leader  Whom = "leader"
	Workers Whom = "workers"
)

// Stream names where an Output event comes from.
type Stream string

const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
)

// Event is one line from the agent: the answer to a command (Re is set), a
// piece of a process's output (Stream is set), the end of a process (Exit is
// set), or the first line of all (Ready is set).
type Event struct {
	Ready  bool   `json:"ready,omitempty"`
	Re     int    `json:"re,omitempty"`
	Name   string `json:"name,omitempty"`
	PID    int    `json:"pid,omitempty"`
	Stream Stream `json:"stream,omitempty"`
	Data   []byte `json:"data,omitempty"` // output, or the content of a file
	Err    string `json:"err,omitempty"`
	Errout []byte `json:"errout,omitempty"` // Run: standard error
	Exit   *Exit  `json:"exit,omitempty"`
	// Time is when an answer was given, in nanoseconds of the host's clock since
	// 1970: the clock of the captures, which is not always the conductor's.
	Time int64 `json:"time,omitempty"`
}

// Exit is how a process ended.
type Exit struct {
	Code   int `json:"code"`             // exit status; -1 when a signal ended it
	Signal int `json:"signal,omitempty"` // the signal that ended it, 0 for none
}
