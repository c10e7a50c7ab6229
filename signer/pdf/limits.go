package pdf

// maxGeneration is the largest generation number (ISO 32000-1 Annex C).
const maxGeneration = 65535

// Limits bound what a file may make the reader do. A zero field takes the default.
type Limits struct {
	Objects        int   // entries of all cross-reference sections together; default 2,000,000
	Sections       int   // cross-reference sections in the chain; default 1,000
	Depth          int   // nesting of arrays, dictionaries and page tree nodes; default 100
	ObjectBytes    int64 // one object without stream data; default 16 MiB
	DecodedBytes   int64 // one decoded stream; default 64 MiB
	DecodedTotal   int64 // all decoded streams of a reader together; default 1 GiB
	ExpansionRatio int64 // decoded to stored bytes, beyond the first MiB; default 100
	Pages          int   // pages of one document; default 100,000
}

func (l Limits) withDefaults() Limits {
	l.Objects = defaultTo(l.Objects, 2_000_000)
	l.Sections = defaultTo(l.Sections, 1000)
	l.Depth = defaultTo(l.Depth, 100)
	l.ObjectBytes = defaultTo(l.ObjectBytes, 16<<20)
	l.DecodedBytes = defaultTo(l.DecodedBytes, 64<<20)
	l.DecodedTotal = defaultTo(l.DecodedTotal, 1<<30)
	l.ExpansionRatio = defaultTo(l.ExpansionRatio, 100)
	l.Pages = defaultTo(l.Pages, 100_000)
	return l
}

func defaultTo[T int | int64](v, standard T) T {
	if v <= 0 {
		return standard
	}
	return v
}
