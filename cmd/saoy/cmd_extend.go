package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/saoy/saoy/signer/pades"
)

// extendCommand lifts the signatures of a file to a higher level, or renews its archive
// time-stamp. It needs no key.
type extendCommand struct {
	levelFlags
	fileFlags
	Level string `help:"Level to be reached (ETSI EN 319 142-1): B-T, B-LT, B-LTA." enum:"B-T,B-LT,B-LTA" default:"B-LTA"`
}

// extended is what the command prints.
type extended struct {
	Out   string `json:"out"`
	Level string `json:"level"`
	Size  int64  `json:"size"`
	Added int64  `json:"added"`

	// Shortfall says why Level is lower than what was asked for.
	Shortfall *shortfall `json:"shortfall,omitempty"`
}

// Run extends. Exit statuses are those of sign.
func (c extendCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	result, err := c.extend(ctx)
	if err != nil {
		return explain(c.In, err)
	}
	if !c.JSON {
		fmt.Printf("%s\n  %s  +%d\n", result.Out, result.Level, result.Added)
	} else if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		return err
	}
	return result.Shortfall.lower(result.Out, result.Level)
}

func (c extendCommand) extend(ctx context.Context) (*extended, error) {
	o, err := c.options()
	if err != nil {
		return nil, err
	}
	in, err := openInput(c.In)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, err := newOutput(ctx, in, c.Out, c.Force)
	if err != nil {
		return nil, err
	}
	defer out.discard()
	result := &extended{Out: c.Out, Level: c.Level}
	if policy := c.policy(); policy != nil {
		o.OnShortfall = func(s *pades.Shortfall) error {
			result.Level, result.Shortfall = s.Reached.String(), recordOf(s)
			return policy(s)
		}
	}
	if err := pades.Extend(ctx, in, in.info.Size(), out, o); err != nil {
		return nil, err
	}
	info, err := out.Stat()
	if err != nil {
		return nil, err
	}
	result.Size, result.Added = info.Size(), info.Size()-in.info.Size()
	return result, out.commit()
}

func (c extendCommand) options() (pades.ExtendOptions, error) {
	var o pades.ExtendOptions
	var err error
	if o.Level, err = pades.ParseLevel(c.Level); err != nil {
		return o, err
	}
	if o.TimeStamper, err = c.timeStamper(); err != nil {
		return o, err
	}
	o.Collector, err = c.collector()
	return o, err
}
