package pades_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/pades"
)

// ExampleSign signs a file with a key at hand and has the signature time-stamped.
func ExampleSign() {
	base, id, tsa := exampleDocument(), exampleIdentity(), exampleAuthority()
	var out bytes.Buffer
	res, err := pades.Sign(context.Background(), bytes.NewReader(base), int64(len(base)), &out, id,
		pades.Options{Reason: "Chứng thực bản sao", SigningTime: exampleTime}, pades.Means{TimeStamper: tsa})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Field, res.Level, bytes.HasPrefix(out.Bytes(), base), res.Size == int64(out.Len()))
	// Output: Signature1 B-T true true
}

// ExamplePrepare splits signing in two: what lies between may be stored, and the key may be
// anywhere.
func ExamplePrepare() {
	base, id := exampleDocument(), exampleIdentity()
	p, err := pades.Prepare(bytes.NewReader(base), int64(len(base)), pades.Options{
		SigningTime: exampleTime, Certificate: id.Certificate, Chain: id.Chain, Certify: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	stored, _ := json.Marshal(p) // kept until the answer comes

	// elsewhere: whoever has the key makes the CMS from the digest alone
	message, err := cms.Sign(context.Background(), id, p.Digest(), cms.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}

	var q pades.Prepared
	if err := json.Unmarshal(stored, &q); err != nil {
		fmt.Println(err)
		return
	}
	var out bytes.Buffer
	fmt.Println(q.Embed(bytes.NewReader(base), message, &out), int64(out.Len()) == q.SignedSize())
	// Output: <nil> true
}

// ExampleExtend lifts a signed file to B-LTA.
func ExampleExtend() {
	signed, tsa := exampleSigned(), exampleAuthority()
	var out bytes.Buffer
	err := pades.Extend(context.Background(), bytes.NewReader(signed), int64(len(signed)), &out, pades.ExtendOptions{
		Level: pades.BLTA, TimeStamper: tsa, Collector: exampleCollector})
	fmt.Println(err, out.Len() > len(signed))
	// Output: <nil> true
}
