package bench

import (
	"context"
	"errors"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Left is what was found on the engine: a count of each kind.
type Left struct{ Containers, Networks, Volumes int }

// Sweep removes what labs that have died left on the engine: what carries the
// lab's label, is not kept, and whose owner has certainly ended.
func (e *Engine) Sweep(ctx context.Context) (Left, error) {
	return e.remove(ctx, func(labels map[string]string) bool {
		o, ok := parseOwner(labels[labelOwner])
		return ok && labels[labelKept] == "" && o.dead(e.me, startTime)
	})
}

// Down removes what was kept (`lab up`, `--keep`), and sweeps.
func (e *Engine) Down(ctx context.Context) (Left, error) {
	return e.remove(ctx, func(labels map[string]string) bool {
		o, ok := parseOwner(labels[labelOwner])
		return ok && (labels[labelKept] != "" && o.machine == e.me.machine || labels[labelKept] == "" && o.dead(e.me, startTime))
	})
}

// LeftBy counts what a process of this machine has on the engine.
func (e *Engine) LeftBy(ctx context.Context, pid int) (Left, error) {
	return e.each(ctx, func(labels map[string]string) bool {
		o, ok := parseOwner(labels[labelOwner])
		return ok && o.pid == pid && o.boot == e.me.boot && o.pidns == e.me.pidns
	}, nil, nil, nil)
}

// remove removes everything of the lab whose labels are chosen. What another
// lab removes at the same time counts as removed, and so does a network that
// the engine keeps for endpoints of containers that it no longer has.
func (e *Engine) remove(ctx context.Context, chosen func(labels map[string]string) bool) (Left, error) {
	gone := func(err error) error {
		if cerrdefs.IsNotFound(err) || cerrdefs.IsConflict(err) || cerrdefs.IsPermissionDenied(err) {
			return nil
		}
		return err
	}
	return e.each(ctx, chosen,
		func(id string) error {
			_, err := e.client.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			return gone(err)
		},
		func(id string) error {
			_, err := e.client.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
			return gone(err)
		},
		func(name string) error {
			_, err := e.client.VolumeRemove(ctx, name, client.VolumeRemoveOptions{})
			return gone(err)
		})
}

// each calls a function for everything of the lab whose labels are chosen,
// containers first, for they hold the rest. It counts those for which nothing
// went wrong; a nil function only counts.
func (e *Engine) each(ctx context.Context, chosen func(labels map[string]string) bool, container, network, volume func(id string) error) (Left, error) {
	var left Left
	var errs []error
	visit := func(n *int, labels map[string]string, id string, f func(string) error) {
		if !chosen(labels) {
			return
		}
		if f != nil {
			if err := f(id); err != nil {
				errs = append(errs, err)
				return
			}
		}
		*n++
	}
	ours := client.Filters{}.Add("label", labelOwner)
	containers, err := e.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		return left, err
	}
	for _, c := range containers.Items {
		visit(&left.Containers, c.Labels, c.ID, container)
	}
	networks, err := e.client.NetworkList(ctx, client.NetworkListOptions{Filters: ours})
	if err != nil {
		return left, err
	}
	for _, n := range networks.Items {
		visit(&left.Networks, n.Labels, n.ID, network)
	}
	volumes, err := e.client.VolumeList(ctx, client.VolumeListOptions{Filters: ours})
	if err != nil {
		return left, err
	}
	for _, v := range volumes.Items {
		visit(&left.Volumes, v.Labels, v.Name, volume)
	}
	return left, errors.Join(errs...)
}

// labels returns the labels of something that this process makes.
func (e *Engine) labels(kept bool) map[string]string {
	l := map[string]string{labelOwner: e.me.String()}
	if kept {
		l[labelKept] = "true"
	}
	return l
}
