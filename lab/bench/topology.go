package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"

	"rstlab/lab/scenario"
)

// Axes choose among what docker-compose.yml can stand up: its variables. An
// empty one is left as the file has it.
type Axes struct {
	Client       string // LAB_CLIENT: folder in lab/clients
	Backend      string // LAB_BACKEND: folder in backends
	NginxVersion string // LAB_NGINX_VERSION
	NginxConf    string // LAB_NGINX: path of a config file
	Overlay      string // file in compose/, without .yml, merged into docker-compose.yml
}

// Topology is what docker-compose.yml says: the hosts, and the taps beside
// them. Nothing else of the lab knows it.
type Topology struct{ services []service }

type service struct {
	name    string
	image   string
	after   []string // the services that this one depends on
	aliases []string
	expose  []int  // the ports on which its server listens
	shares  string // service whose network namespace this one shares: it is that one's tap
	files   []file
	capAdd  []string
	capDrop []string
	sysctls map[string]string // of its network namespace
}

// file is a file of this machine that a host has when it starts.
type file struct{ from, to string }

// carriedOut are the keys of the Compose specification that the lab carries
// out; any other is an error, never ignored.
var carriedOut = []tree.Path{
	"name",
	"services.*.image",
	"services.*.depends_on.*.condition", "services.*.depends_on.*.required",
	"services.*.expose.[]",
	"services.*.networks.default.aliases.[]",
	"services.*.network_mode",
	"services.*.sysctls.*",
	"services.*.stdin_open", // a conducted host's input is always open
	"services.*.cap_add.[]", "services.*.cap_drop.[]",
	"services.*.volumes.[].type", "services.*.volumes.[].source", "services.*.volumes.[].target",
	"services.*.volumes.[].read_only", "services.*.volumes.[].bind.create_host_path",
	"networks.default.name", "networks.default.ipam", // what the loader itself fills in
	"services.*.command", "services.*.entrypoint",
}

// LoadTopology reads docker-compose.yml of a checkout, for the given axes.
func LoadTopology(ctx context.Context, root string, axes Axes) (*Topology, error) {
	path := filepath.Join(root, "docker-compose.yml")
	env := types.Mapping{}
	for name, value := range map[string]string{
		"LAB_CLIENT": axes.Client, "LAB_BACKEND": axes.Backend,
		"LAB_NGINX_VERSION": axes.NginxVersion, "LAB_NGINX": axes.NginxConf,
	} {
		if value != "" {
			env[name] = value
		}
	}
	files := []types.ConfigFile{{Filename: path}}
	if axes.Overlay != "" {
		files = append(files, types.ConfigFile{Filename: filepath.Join(root, "compose", axes.Overlay+".yml")})
	}
	logrus.SetOutput(io.Discard) // the loader's; what it says comes as an error too
	var ignored []loader.UnsupportedAttribute
	project, err := loader.LoadWithContext(ctx,
		types.ConfigDetails{WorkingDir: root, ConfigFiles: files, Environment: env},
		func(o *loader.Options) { o.SetProjectName("rstlab", true) },
		loader.WithSupportedAttributes(carriedOut, func(found []loader.UnsupportedAttribute) { ignored = found }),
	)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	var errs []error
	for _, a := range ignored {
		errs = append(errs, fmt.Errorf("%s: the lab does not carry out %s; take it out of the file, or teach lab/bench/topology.go to do it", path, a.Path))
	}
	t := &Topology{}
	for name, s := range project.Services {
		svc, err := serviceOf(name, s)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: services.%s: %w", path, name, err))
		}
		t.services = append(t.services, svc)
	}
	slices.SortFunc(t.services, func(a, b service) int { return strings.Compare(a.name, b.name) })
	return t, errors.Join(errs...)
}

func serviceOf(name string, s types.ServiceConfig) (service, error) {
	svc := service{name: name, image: s.Image, capAdd: s.CapAdd, capDrop: s.CapDrop, sysctls: s.Sysctls}
	if len(s.Command) > 0 || len(s.Entrypoint) > 0 {
		return svc, errors.New("the lab does not carry out command and entrypoint: the image's own are the host's program")
	}
	for dep, how := range s.DependsOn {
		if how.Condition != types.ServiceConditionStarted {
			return svc, fmt.Errorf("the lab does not carry out depends_on with condition %s", how.Condition)
		}
		svc.after = append(svc.after, dep)
	}
	slices.Sort(svc.after)
	if network := s.Networks["default"]; network != nil {
		svc.aliases = network.Aliases
	}
	if s.NetworkMode != "" {
		shared, ok := strings.CutPrefix(s.NetworkMode, "service:")
		if !ok {
			return svc, fmt.Errorf("the lab does not carry out network_mode %s, only service:NAME", s.NetworkMode)
		}
		svc.shares = shared
	}
	for _, port := range s.Expose {
		n, err := strconv.Atoi(port)
		if err != nil {
			return svc, fmt.Errorf("expose %s: want a port", port)
		}
		svc.expose = append(svc.expose, n)
	}
	for _, v := range s.Volumes {
		if v.Type != types.VolumeTypeBind || !v.ReadOnly {
			return svc, fmt.Errorf("the lab does not carry out the volume at %s, only read-only files of this machine", v.Target)
		}
		svc.files = append(svc.files, file{from: v.Source, to: v.Target})
	}
	return svc, nil
}

// ImagesOf returns the images that the topologies are made of, each once.
func ImagesOf(topologies ...*Topology) []string {
	var images []string
	for _, t := range topologies {
		for _, s := range t.services {
			if !slices.Contains(images, s.image) {
				images = append(images, s.image)
			}
		}
	}
	return images
}

// service returns the service that a host is.
func (t *Topology) service(h scenario.Host) (service, error) {
	for _, s := range t.services {
		if s.host() == h {
			return s, nil
		}
	}
	return service{}, fmt.Errorf("docker-compose.yml has no service %s", h)
}

// tap says whether a service is the tap of another.
func (s service) tap() bool { return s.shares != "" }

func (s service) host() scenario.Host { return scenario.Host(s.name) }

// Services returns the names of all hosts and taps.
func (t *Topology) Services() []string {
	var names []string
	for _, s := range t.services {
		names = append(names, s.name)
	}
	return names
}
