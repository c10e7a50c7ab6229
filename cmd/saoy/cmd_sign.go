package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
)

// signCommand signs one PDF file. It needs no installation.
type signCommand struct {
	keyFlags
	levelFlags
	fileFlags
	appearanceFlags
	Level    string `help:"Level to be reached (ETSI EN 319 142-1): B-B, B-T, B-LT, B-LTA. Default: B-T with --tsa, else B-B." enum:",B-B,B-T,B-LT,B-LTA" default:""`
	Field    string `help:"Signature field: an empty one of the file, or the name of a new one." placeholder:"NAME"`
	Certify  int    `help:"Certify the file; afterwards may change: 1 nothing, 2 form fields and signatures, 3 annotations too." enum:"0,1,2,3" default:"0"`
	Name     string `help:"Name of who signs, as the file states it."`
	Reason   string `help:"Reason for signing."`
	Location string `help:"Place of signing."`
	PSS      bool   `help:"Use RSASSA-PSS with an RSA key." name:"pss"`
}

// signed is what the command prints.
type signed struct {
	Out         string   `json:"out"`
	Field       string   `json:"field"`
	Level       string   `json:"level"`
	Size        int64    `json:"size"`
	ByteRange   [4]int64 `json:"byte_range"`
	Signer      string   `json:"signer"`
	Certificate string   `json:"certificate_sha256"`

	// Shortfall says why Level is lower than what was asked for.
	Shortfall *shortfall `json:"shortfall,omitempty"`
}

// Run signs. Exit status 0: OUT holds the signed file; 1: it did not work now; 2: the command
// line, the key or the input is not fit; 3: OUT holds the signed file at a lower level, which
// --accept-lower allows. After 1 and 2, OUT is as it was before.
func (c signCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	result, err := c.sign(ctx)
	if err != nil {
		return explain(c.In, err)
	}
	if !c.JSON {
		fmt.Printf("%s\n  %s  %s  %s\n", result.Out, result.Field, result.Level, result.Signer)
	} else if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		return err
	}
	return result.Shortfall.lower(result.Out, result.Level)
}

// sign prepares everything that can fail before it touches the key: an official's one-time
// password must not be spent on a file that cannot be written.
func (c signCommand) sign(ctx context.Context) (*signed, error) {
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	means, err := c.means()
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
	id, done, err := c.keyFlags.open(ctx)
	if err != nil {
		return nil, keyFailure(err)
	}
	defer done()
	if err := inGoodStanding(ctx, id, means); err != nil {
		return nil, err
	}
	result, err := pades.Sign(ctx, in, in.info.Size(), out, id, options, means)
	if err != nil {
		return nil, err
	}
	return &signed{Out: c.Out, Field: result.Field, Level: result.Level.String(), Size: result.Size, ByteRange: result.ByteRange,
		Signer: id.Certificate.Subject.CommonName, Certificate: fingerprint(id.Certificate.Raw), Shortfall: recordOf(result.Shortfall)}, out.commit()
}

func (c signCommand) options() (pades.Options, error) {
	o := pades.Options{Field: c.Field, Certify: c.Certify, Name: c.Name, Reason: c.Reason, Location: c.Location, SigningTime: time.Now()}
	err := c.appearanceFlags.set(&o)
	return o, err
}

func (c signCommand) means() (pades.Means, error) {
	m := pades.Means{PSS: c.PSS, OnShortfall: c.policy()}
	var err error
	if c.Level != "" {
		if m.Level, err = pades.ParseLevel(c.Level); err != nil {
			return m, err
		}
	}
	if m.TimeStamper, err = c.timeStamper(); err != nil {
		return m, err
	}
	m.Collector, err = c.collector()
	return m, err
}

// inGoodStanding asks, where validation data will be needed, for that of the signer's
// certificate first, so that a revoked key signs nothing. The answers are kept for later.
func inGoodStanding(ctx context.Context, id signer.Identity, m pades.Means) error {
	if m.Level < pades.BLT || m.Collector == nil {
		return nil
	}
	_, err := m.Collector.Collect(ctx, id.Certificate, id.Chain)
	if err != nil && m.OnShortfall != nil && ctx.Err() == nil {
		return m.OnShortfall(&pades.Shortfall{Wanted: m.Level, Reached: pades.BT, Cause: err})
	}
	return err
}
