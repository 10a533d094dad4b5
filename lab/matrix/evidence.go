package matrix

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"rstlab/lab/bench"
	"rstlab/lab/scenario"
	"rstlab/lab/verdict"
)

// keep writes the evidence of a play under
// OUT/SCENARIO/CLIENT/NGINX/RUN/ and names the files in the result.
func (c cell) keep(r *verdict.Result, seen bench.Evidence, out string) error {
	dir := filepath.Join(c.runs(out), strconv.Itoa(r.Run))
	if err := os.RemoveAll(dir); err != nil {
		return keeping(err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return keeping(err)
	}
	files := map[string][]byte{}
	if seen.Capture != nil {
		counters, err := json.MarshalIndent(seen.Counters, "", " ")
		if err != nil {
			return err
		}
		if conf, err := os.ReadFile(c.conf); err == nil {
			files["nginx.conf"] = conf
		}
		files["capture.pcapng"] = seen.Capture
		files["client.jsonl"] = clientLines(seen.Outcomes)
		files["nginx-error.log"] = lines(seen.ErrorLog)
		files["nginx-access.log"] = lines(seen.AccessLog)
		files["sockets.txt"] = sockets(seen.Sockets)
		files["counters.json"] = append(counters, '\n')
		if seen.Kernel != nil {
			files["kernel.txt"] = kernel(seen.Kernel)
		}
	}
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := writeFile(path, data); err != nil {
			return err
		}
		r.Files[name] = path
	}
	path := filepath.Join(dir, "result.json")
	r.Files["result.json"] = path
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return writeFile(path, append(data, '\n'))
}

// runs is the folder of a cell's runs.
func (c cell) runs(out string) string {
	nginx := strings.TrimSuffix(filepath.Base(c.confName), ".conf")
	if c.version != "" {
		nginx += "@" + strings.NewReplacer("/", "_", ":", "_").Replace(bench.NginxOf(c.version))
	}
	return filepath.Join(out, c.scenario.ID, c.scenario.Client, nginx)
}

func clientLines(outcomes []scenario.Outcome) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, o := range outcomes {
		_ = enc.Encode(o) // to memory
	}
	return b.Bytes()
}

func lines(all []string) []byte {
	var b bytes.Buffer
	for _, line := range all {
		fmt.Fprintln(&b, line)
	}
	return b.Bytes()
}

func sockets(all []scenario.Snapshot) []byte {
	var b bytes.Buffer
	for _, s := range all {
		fmt.Fprintf(&b, "# ss -Htan on %s, %s, %s\n", s.Host, scenario.When(s.Before), s.Time.UTC().Format("15:04:05.000"))
		b.WriteString(s.Text)
	}
	return b.Bytes()
}

func kernel(all []scenario.KernelReset) []byte {
	var b bytes.Buffer
	for _, k := range all {
		fmt.Fprintln(&b, k.Line)
	}
	return b.Bytes()
}
