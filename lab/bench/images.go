package bench

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"rstlab/lab/scenario"
)

// Progress is told what goes on: a topic (an image, a scenario) and what it is
// at; and how it ended, or "" when that is told elsewhere.
type Progress interface {
	Say(topic, doing string)
	Done(topic, how string)
}

// DefaultNginx is the version that docker-compose.yml has by itself.
const DefaultNginx = "1.26"

// nginxSuite is the Debian suite that has each version of nginx.
var nginxSuite = map[string]string{"1.22": "bookworm", "1.26": "trixie", "1.30": "sid"}

// NginxVersions returns the versions of nginx that Debian has, in their order.
func NginxVersions() []string { return slices.Sorted(maps.Keys(nginxSuite)) }

// source is where an image comes from: a folder of the checkout with a
// Dockerfile, on a Debian suite, and the lab's own programs that it is given
// beside the agent, each a folder of package main.
type source struct {
	dir, suite  string
	from        string // image that it is built on, in place of the suite's base
	certificate bool   // whether it is given a certificate for scenario.Site
	programs    map[string]string
}

// NginxImage is the version of nginx, as docker-compose.yml takes it, that
// stands for an image with nginx in it: --nginx-image.
func NginxImage(image string) string { return imageMark + hex.EncodeToString([]byte(image)) }

const imageMark = "image."

// NginxOf returns what a version of nginx is called where a user reads it: the
// image, if NginxImage made it from one.
func NginxOf(version string) string {
	if coded, ok := strings.CutPrefix(version, imageMark); ok {
		if image, err := hex.DecodeString(coded); err == nil {
			return string(image)
		}
	}
	return version
}

// sourceOf returns the source of an image that docker-compose.yml names.
func sourceOf(image string) (source, error) {
	name, version, _ := strings.Cut(image, ":")
	kind, what, _ := strings.Cut(strings.TrimPrefix(name, "rstlab/"), "-")
	switch kind {
	case "nginx":
		if suite, ok := nginxSuite[version]; ok {
			return source{dir: "nginx", suite: suite, certificate: true}, nil
		}
		if from := NginxOf(version); from != version {
			return source{dir: "nginx/image", from: from, certificate: true}, nil
		}
		return source{}, fmt.Errorf("no Debian suite has nginx %q; there are %s", version, strings.Join(NginxVersions(), ", "))
	case "client":
		return source{dir: path.Join("lab/clients", what), suite: "trixie"}, nil
	case "backend":
		return source{dir: path.Join("backends", what), suite: "trixie"}, nil
	case "tap":
		return source{dir: "compose/tap", suite: "trixie", programs: map[string]string{"gate": "lab/gate"}}, nil
	}
	return source{}, fmt.Errorf("image %s is none of the lab's", image)
}

// Images builds those of the named images whose inputs have changed, side by
// side, and returns the ID of each.
func (e *Engine) Images(ctx context.Context, root string, names []string, progress Progress) (map[string]string, error) {
	building, built := context.WithCancel(ctx)
	defer built()
	b := &builder{Engine: e, root: root, progress: progress, bases: map[string]func() (string, error){},
		reaper: sync.OnceFunc(func() { go func() { _ = e.pull(building, ryukImage) }() })}
	ids := map[string]string{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs []error
	for _, name := range names {
		wg.Go(func() {
			id, err := b.image(ctx, name)
			mu.Lock()
			defer mu.Unlock()
			ids[name] = id
			var base errBase
			switch {
			case err == nil || errors.Is(err, context.Canceled):
			case errors.As(err, &base): // every image that waits for it has the same
				if !slices.Contains(errs, error(base)) {
					errs = append(errs, base)
				}
			default:
				errs = append(errs, fmt.Errorf("building image %s: %w", name, err))
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return ids, errors.Join(errs...)
}

type builder struct {
	*Engine
	root     string
	progress Progress

	reaper func() // pulls testcontainers' reaper, if that is done before the builds are

	mu    sync.Mutex
	bases map[string]func() (string, error) // by suite: made once, awaited by all
}

func (b *builder) image(ctx context.Context, name string) (string, error) {
	src, err := sourceOf(name)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(b.root, src.dir)
	if _, err := os.Stat(filepath.Join(dir, "Dockerfile")); err != nil {
		return "", fmt.Errorf("%s has no Dockerfile: %w", src.dir, err)
	}
	programs := map[string]string{"agent": filepath.Join(b.root, "lab/agent")}
	for name, at := range src.programs {
		programs[name] = filepath.Join(b.root, at)
	}
	if _, err := os.Stat(filepath.Join(dir, "main.go")); err == nil {
		programs["program"] = dir
	}
	topic := strings.TrimPrefix(name, "rstlab/")
	if src.from != "" {
		topic = src.from
	}
	base := src.from
	if base != "" {
		if base, err = b.present(ctx, base); err != nil {
			return "", err
		}
	} else if base, err = b.base(ctx, src.suite); err != nil {
		return "", err
	}
	inputs, err := b.inputs(dir, base, programs)
	if err != nil {
		return "", err
	}
	hashed := hashedName(name, inputs)
	if found, err := b.client.ImageInspect(ctx, hashed); err == nil {
		if current, err := b.client.ImageInspect(ctx, name); err != nil || current.ID != found.ID { // another checkout has built its own since
			_, _ = b.client.ImageTag(ctx, client.ImageTagOptions{Source: found.ID, Target: name})
		}
		return found.ID, nil
	}
	b.reaper()
	b.progress.Say(topic, "building")
	archive, err := b.context(ctx, src, dir, programs)
	if err != nil {
		return "", err
	}
	if err := b.build(ctx, []string{name, hashed}, topic, archive, base); err != nil {
		return "", fmt.Errorf("%w\n(from %s)", err, filepath.Join(src.dir, "Dockerfile"))
	}
	built, err := b.client.ImageInspect(ctx, name)
	if err != nil {
		return "", err
	}
	b.removeOld(ctx, name, hashed)
	b.progress.Done(topic, "built")
	return built.ID, nil
}

// hashedName is the name of an image that no other checkout gives to another.
func hashedName(name, inputs string) string {
	if !strings.Contains(name, ":") {
		name += ":latest"
	}
	return name + "-" + inputs[:12]
}

// removeOld removes what an image was before, but for what was made in the last
// day, which may be another checkout's, and what still runs.
func (b *builder) removeOld(ctx context.Context, name, current string) {
	old, err := b.client.ImageList(ctx, client.ImageListOptions{Filters: client.Filters{}.Add("reference", hashedName(name, "????????????"))})
	if err != nil {
		return // they only take room
	}
	for _, image := range old.Items {
		for _, tag := range image.RepoTags {
			if tag != current && len(tag) == len(current) && time.Since(time.Unix(image.Created, 0)) > 24*time.Hour {
				_, _ = b.client.ImageRemove(ctx, tag, client.ImageRemoveOptions{})
			}
		}
	}
}

// inputs returns the hash of everything that an image is made from.
func (b *builder) inputs(dir, base string, programs map[string]string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, "1", base, runtime.Version(), b.arch())
	folders := []string{dir}
	for _, program := range slices.Sorted(maps.Values(programs)) {
		if program != dir {
			folders = append(folders, program)
		}
		if err := b.packages(program, &folders); err != nil {
			return "", err
		}
	}
	for _, d := range folders {
		err := filepath.WalkDir(d, func(p string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || ignored(p) {
				return err
			}
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			rel, _ := filepath.Rel(d, p)
			fmt.Fprintf(h, "%s %d\n", rel, len(data))
			h.Write(data)
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// packages adds to the folders that of a package of this module, and those of
// all that it imports from this module; of what it imports from others, go.sum
// has the versions.
func (b *builder) packages(dir string, folders *[]string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if ignored(file) {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range parsed.Imports {
			name := strings.Trim(i.Path.Value, `"`)
			own, ok := strings.CutPrefix(name, "rstlab/")
			if host, _, _ := strings.Cut(name, "/"); strings.Contains(host, ".") {
				own, ok = "go.sum", true
			}
			if at := filepath.Join(b.root, own); ok && !slices.Contains(*folders, at) {
				*folders = append(*folders, at)
				if err := b.packages(at, folders); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// ignored says that a file of an image's folder is no input of the image:
// tests, and nginx's configs, which are copied into the host instead.
func ignored(p string) bool {
	dir, file := filepath.Split(p)
	return strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, ".") ||
		strings.HasSuffix(file, ".conf") && filepath.Base(dir) == "nginx"
}

// arch is the engine's architecture as Go calls it.
func (b *builder) arch() string {
	switch b.machine {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return b.machine
}

// present returns the ID of an image of the user's, pulled if it is not here.
func (b *builder) present(ctx context.Context, image string) (string, error) {
	found, err := b.client.ImageInspect(ctx, image)
	if err == nil {
		return found.ID, nil
	}
	b.progress.Say(image, "pulling")
	if err := b.pull(ctx, image); err != nil {
		return "", fmt.Errorf("image %s is not here and cannot be pulled: %w", image, err)
	}
	found, err = b.client.ImageInspect(ctx, image)
	return found.ID, err
}

// context returns the build context of a folder: its files, the lab's programs,
// compiled, and a certificate if it is to have one.
func (b *builder) context(ctx context.Context, src source, dir string, programs map[string]string) (io.Reader, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	add := func(name string, mode int64, data []byte) error {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(data))}); err != nil {
			return err
		}
		_, err := w.Write(data)
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if entry.IsDir() || ignored(filepath.Join(dir, entry.Name())) || strings.HasSuffix(entry.Name(), ".go") {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		if err := add(entry.Name(), int64(info.Mode().Perm()), data); err != nil {
			return nil, err
		}
	}
	for name, dir := range programs {
		data, err := b.compile(ctx, dir)
		if err != nil {
			return nil, err
		}
		if err := add(name, 0o755, data); err != nil {
			return nil, err
		}
	}
	if src.certificate {
		crt, key, err := certificate()
		if err == nil {
			err = errors.Join(add("lab.crt", 0o644, crt), add("lab.key", 0o600, key))
		}
		if err != nil {
			return nil, err
		}
	}
	return &archive, w.Close()
}

// certificate returns a certificate for the name by which clients know nginx,
// signed by itself, and its key, both in PEM.
func certificate() (crt, key []byte, err error) {
	site, err := url.Parse(scenario.Site)
	if err != nil {
		return nil, nil, err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: site.Hostname()}, DNSNames: []string{site.Hostname()},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(100, 0, 0)}
	crt, err = x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	key, err = x509.MarshalPKCS8PrivateKey(private)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: crt}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), err
}

// compile builds the Go program in dir for the engine's machine, static.
func (b *builder) compile(ctx context.Context, dir string) ([]byte, error) {
	tmp, err := os.MkdirTemp("", "rstlab-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, "program")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+b.arch())
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build in %s: %w\n%s", dir, err, text)
	}
	return os.ReadFile(out)
}

// build runs the engine's builder. On failure the error has the end of its
// output, which says what went wrong.
func (b *builder) build(ctx context.Context, tags []string, topic string, archive io.Reader, base string) error {
	built, err := b.client.ImageBuild(ctx, archive, client.ImageBuildOptions{
		Tags: tags, Remove: true, ForceRemove: true,
		BuildArgs: map[string]*string{"BASE": &base},
	})
	if err != nil {
		return err
	}
	defer built.Body.Close()
	var tail []string
	err = messages(built.Body, func(text string) {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				tail = append(tail[max(0, len(tail)-12):], line)
				if doing, ok := aptDoing(line); ok {
					b.progress.Say(topic, doing)
				}
			}
		}
	})
	if err != nil {
		return fmt.Errorf("%w\n  %s", err, strings.Join(tail, "\n  "))
	}
	return nil
}

// aptDoing shortens a line of apt's output to what a reader wants to know.
func aptDoing(line string) (string, bool) {
	f := strings.Fields(line)
	switch {
	case strings.HasPrefix(line, "Get:") && len(f) > 4 && f[4][0] != '[':
		return "fetching " + f[4], true
	case len(f) > 1 && f[0] == "Unpacking":
		return "unpacking " + f[1], true
	case len(f) > 2 && f[0] == "Setting" && f[1] == "up":
		return "setting up " + f[2], true
	case strings.HasPrefix(line, "Step "):
		return line, true
	}
	return "", false
}

// messages reads the engine's stream of JSON messages (build, pull, import) to
// its end, and returns the error that it tells.
func messages(r io.Reader, each func(text string)) error {
	dec := json.NewDecoder(bufio.NewReader(r))
	for {
		var m struct {
			Stream string `json:"stream"`
			Status string `json:"status"`
			Error  string `json:"error"`
		}
		if err := dec.Decode(&m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading the engine's answer: %w", err)
		}
		if m.Error != "" {
			return errors.New(m.Error)
		}
		each(m.Stream + m.Status)
	}
}
