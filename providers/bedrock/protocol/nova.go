package protocol

import (
	"encoding/json"
	"errors"

	"github.com/latgate/latgate/providers"
)

// nova is the grammar of Amazon Nova: the events of Converse, each an object that is
// named by its one member.
type nova struct{ b *providers.Builder }

func newNova(b *providers.Builder) grammar { return nova{b} }

// novaUsage counts the prompt cache under names of its own, or under Converse's.
type novaUsage struct {
	usage
	CacheReadCount  providers.Count `json:"cacheReadInputTokenCount"`
	CacheWriteCount providers.Count `json:"cacheWriteInputTokenCount"`
}

func (u novaUsage) canonical() providers.Usage {
	u.CacheRead = u.CacheRead.Update(u.CacheReadCount)
	u.CacheWrite = u.CacheWrite.Update(u.CacheWriteCount)
	return u.usage.canonical()
}

func (n nova) chunk(data []byte) error {
	var c struct {
		Start blockStart `json:"contentBlockStart"`
		Delta delta      `json:"contentBlockDelta"`
		Stop  struct {
			Reason word `json:"stopReason"`
		} `json:"messageStop"`
		Metadata *providers.Lenient[struct {
			Usage providers.Lenient[novaUsage] `json:"usage"`
		}] `json:"metadata"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	c.Start.add(n.b)
	c.Delta.add(n.b)
	stop(n.b, c.Stop.Reason)
	if c.Metadata != nil {
		n.b.Usage = c.Metadata.Value.Usage.Value.canonical()
	}
	return nil
}

func (n nova) whole(data []byte) error {
	var reply struct {
		Output *output                      `json:"output"`
		Stop   word                         `json:"stopReason"`
		Usage  providers.Lenient[novaUsage] `json:"usage"`
	}
	if err := json.Unmarshal(data, &reply); err != nil {
		return err
	}
	if reply.Output == nil {
		return errors.New("a reply without output")
	}
	reply.Output.add(n.b)
	stop(n.b, reply.Stop)
	n.b.Usage = reply.Usage.Value.canonical()
	return nil
}
