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
	Level string `help:"Level to be reached (ETSI EN 319 142-1): B-T, B-LT, B-LTA." enum:"B-T,B-LT,B-LTA" default:"B-LTA"`
	Force bool   `help:"Replace an existing OUT."`
	JSON  bool   `help:"Print exactly one JSON object on standard output."`
	In    string `arg:"" name:"in" help:"Signed PDF file."`
	Out   string `arg:"" name:"out" help:"The extended file: IN, byte for byte, and an addition."`
}

// extended is what the command prints.
type extended struct {
	Out   string `json:"out"`
	Level string `json:"level"`
	Size  int64  `json:"size"`
	Added int64  `json:"added"`
}

// Run extends. Exit statuses are those of sign.
func (c extendCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	result, err := c.extend(ctx)
	if err != nil {
		return explain(c.In, err)
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(result)
	}
	fmt.Printf("%s\n  %s  +%d\n", result.Out, result.Level, result.Added)
	return nil
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
	if err := pades.Extend(ctx, in, in.info.Size(), out, o); err != nil {
		return nil, err
	}
	info, err := out.Stat()
	if err != nil {
		return nil, err
	}
	return &extended{Out: c.Out, Level: c.Level, Size: info.Size(), Added: info.Size() - in.info.Size()}, out.commit()
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
