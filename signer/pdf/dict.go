package pdf

// Dict is a dictionary: entries in the order of the file. A key that occurs twice stays
// visible (see Duplicate), because readers differ in which of the two they take.
type Dict []Entry

// Entry is one key of a dictionary and its value.
type Entry struct {
	Key   Name
	Value Object
}

// E makes an Entry: Dict{E("Type", Name("Page")), …}.
func E(key Name, value Object) Entry { return Entry{Key: key, Value: value} }

// Get returns the value of key, or nil; a null value counts as none (ISO 32000-2 §7.3.7).
// Of a key that occurs twice it returns the first.
func (d Dict) Get(key Name) Object {
	for i := range d {
		if d[i].Key != key {
			continue
		}
		if _, null := d[i].Value.(Null); null {
			return nil
		}
		return d[i].Value
	}
	return nil
}

// Has reports whether key occurs with a value that is not null.
func (d Dict) Has(key Name) bool { return d.Get(key) != nil }

// Set gives key a value: in its place if it occurs, else at the end.
func (d *Dict) Set(key Name, value Object) {
	for i := range *d {
		if (*d)[i].Key == key {
			(*d)[i].Value = value
			return
		}
	}
	*d = append(*d, Entry{key, value})
}

// Delete removes every occurrence of key.
func (d *Dict) Delete(key Name) {
	kept := (*d)[:0:0]
	for _, e := range *d {
		if e.Key != key {
			kept = append(kept, e)
		}
	}
	*d = kept
}

// Clone returns a copy whose entries can be set without changing d, with room for a few more.
// Values are shared.
func (d Dict) Clone() Dict { return append(make(Dict, 0, len(d)+3), d...) }

// Duplicate returns the first key that occurs twice.
func (d Dict) Duplicate() (Name, bool) {
	if len(d) <= 16 {
		for i := range d {
			for j := range i {
				if d[i].Key == d[j].Key {
					return d[i].Key, true
				}
			}
		}
		return "", false
	}
	seen := make(map[Name]bool, len(d))
	for _, e := range d {
		if seen[e.Key] {
			return e.Key, true
		}
		seen[e.Key] = true
	}
	return "", false
}

// Name returns the value of key if it is a direct name, else "".
func (d Dict) Name(key Name) Name { n, _ := d.Get(key).(Name); return n }

// Int returns the value of key if it is a direct integer.
func (d Dict) Int(key Name) (int64, bool) {
	i, ok := d.Get(key).(Integer)
	return int64(i), ok
}

// Ref returns the value of key if it is a reference, else the zero Ref.
func (d Dict) Ref(key Name) Ref { r, _ := d.Get(key).(Ref); return r }
