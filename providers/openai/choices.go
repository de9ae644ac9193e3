package openai

// choices are the replies in a stream, of which there are several where the request
// asked for n. Each finishes by itself.
type choices struct {
	ended   map[int]bool // those that have been seen, by index
	writing int          // how many of them have not ended
}

// note takes what a chunk tells of a choice. What comes after its end, such as what
// a filter thinks of it, does not begin it again.
func (c *choices) note(index int, ends bool) {
	ended, seen := c.ended[index]
	if ended || seen && !ends {
		return
	}
	if c.ended == nil {
		c.ended = make(map[int]bool)
	}
	c.ended[index] = ends
	switch {
	case ends && seen:
		c.writing--
	case !ends:
		c.writing++
	}
}

// finished reports whether all that have begun have ended.
func (c *choices) finished() bool { return len(c.ended) > 0 && c.writing == 0 }
