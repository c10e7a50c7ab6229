package intake

import "slices"

// turned returns the orientation of a picture after so many quarter turns clockwise.
func (o Orientation) turned(quarters int) Orientation {
	plain, mirrored := []Orientation{1, 6, 3, 8}, []Orientation{2, 7, 4, 5}
	for _, cycle := range [][]Orientation{plain, mirrored} {
		if i := slices.Index(cycle, o.known()); i >= 0 {
			return cycle[(i+quarters&3)&3]
		}
	}
	return o // known has no other
}

// Turned returns the page after so many quarter turns clockwise, negative ones counter-clockwise.
// No sample changes: the page's matrix does, and its place on the sheet.
func (p Page) Turned(quarters int) Page {
	k := quarters & 3
	p.Orientation = p.Orientation.turned(k)
	old := p.Look.Feet
	for i := range p.Look.Feet {
		p.Look.Feet[i] = old[(i+k)&3]
	}
	p.Free = p.Look.Feet[0]
	p.Edit.Turn = (p.Edit.Turn + k) & 3
	p.settle()
	return p
}
