package pkcs11

import (
	"errors"
	"reflect"
	"testing"
)

func TestParseURI(t *testing.T) {
	good := map[string]URI{
		"pkcs11:token=saoy;object=official?module-path=/usr/lib/softhsm/libsofthsm2.so": {
			Module: "/usr/lib/softhsm/libsofthsm2.so", Token: "saoy", Slot: -1, Object: "official"},
		"pkcs11:token=UBND%20x%C3%A3;id=%01%ff;type=private?module-path=/m.so&pin-source=file:/etc/saoy/pin": {
			Module: "/m.so", Token: "UBND xã", Slot: -1, ID: []byte{1, 0xff}, PINFile: "/etc/saoy/pin"},
		"pkcs11:slot-id=7;serial=42;manufacturer=A;model=B;object=x%3by?module-path=/m.so&pin-source=/pin": {
			Module: "/m.so", Serial: "42", Manufacturer: "A", Model: "B", Slot: 7, Object: "x;y", PINFile: "/pin"},
	}
	for s, want := range good {
		u, err := ParseURI(s)
		if err != nil || !reflect.DeepEqual(u, want) {
			t.Errorf("%s: %+v, %v", s, u, err)
		}
		if again, err := ParseURI(u.String()); err != nil || !reflect.DeepEqual(again, u) {
			t.Errorf("%s written as %s: %v", s, u, err)
		}
	}
	bad := []string{
		"", "http://x", "pkcs11:", "pkcs11:token=a;object=b", "pkcs11:token=a?module-path=/m", "pkcs11:object=b?module-path=/m",
		"pkcs11:token=a;object=b?module-path=m.so", "pkcs11:token=a;token=b;object=c?module-path=/m", "pkcs11:token=a;object=b;x=y?module-path=/m",
		"pkcs11:token=a;object=b?module-path=/m&pin-value=1234", "pkcs11:token=a;object=b?module-path=/m&module-name=x",
		"pkcs11:token=a;object=b?module-path=/m&pin-source=pin", "pkcs11:token=%zz;object=b?module-path=/m", "pkcs11:token=;object=b?module-path=/m",
		"pkcs11:slot-id=-1;object=b?module-path=/m", "pkcs11:slot-id=99999999999;object=b?module-path=/m", "pkcs11:token=a;object=b;type=cert?module-path=/m",
	}
	for _, s := range bad {
		if u, err := ParseURI(s); !errors.Is(err, ErrURI) {
			t.Errorf("%s: %+v, %v", s, u, err)
		}
	}
}

func FuzzParseURI(f *testing.F) {
	f.Add("pkcs11:token=UBND%20x%C3%A3;id=%01%ff;type=private?module-path=/m.so&pin-source=file:/etc/saoy/pin")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURI(s)
		if err != nil {
			return
		}
		if again, err := ParseURI(u.String()); err != nil || !reflect.DeepEqual(again, u) {
			t.Errorf("%q becomes %q becomes %+v, %v", s, u, again, err)
		}
	})
}
