package bench

import (
	"context"
	"errors"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Left is what was found on the engine and removed: a count of each kind.
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

// remove removes everything of the lab whose labels are chosen. What another
// lab removes at the same time counts as removed.
func (e *Engine) remove(ctx context.Context, chosen func(labels map[string]string) bool) (Left, error) {
	var left Left
	ours := client.Filters{}.Add("label", labelOwner)
	containers, err := e.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		return left, err
	}
	var errs []error
	gone := func(n *int, err error) {
		if err == nil {
			*n++
		} else if !cerrdefs.IsNotFound(err) && !cerrdefs.IsConflict(err) {
			errs = append(errs, err)
		}
	}
	for _, c := range containers.Items {
		if chosen(c.Labels) {
			_, err := e.client.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			gone(&left.Containers, err)
		}
	}
	networks, err := e.client.NetworkList(ctx, client.NetworkListOptions{Filters: ours})
	if err != nil {
		return left, err
	}
	for _, n := range networks.Items {
		if chosen(n.Labels) {
			_, err := e.client.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
			gone(&left.Networks, err)
		}
	}
	volumes, err := e.client.VolumeList(ctx, client.VolumeListOptions{Filters: ours})
	if err != nil {
		return left, err
	}
	for _, v := range volumes.Items {
		if chosen(v.Labels) {
			_, err := e.client.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{})
			gone(&left.Volumes, err)
		}
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
