package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
)

const (
	cell     = 8  // pixels of a side: differences closer than a cell or two are one area
	maxAreas = 12 // more than that are one area around them all
	clear    = 8  // a difference of a channel that the eye sees; smaller ones count where there are no others
	frame    = 3  // width of the frame in pixels
	quality  = 75
)

// areas returns where two pictures differ, as rectangles in the pixels of both.
func areas(a, b *image.RGBA) []image.Rectangle {
	if a.Rect.Size() != b.Rect.Size() {
		return []image.Rectangle{a.Rect.Union(b.Rect)}
	}
	grid := newGrid(a.Rect.Size())
	if !grid.mark(a, b, clear) && !grid.mark(a, b, 0) {
		return nil
	}
	return grid.areas(a.Rect)
}

// grid holds a picture in cells, true where the pictures differ.
type grid struct {
	width, height int
	differs       []bool
}

func newGrid(size image.Point) *grid {
	g := &grid{width: (size.X + cell - 1) / cell, height: (size.Y + cell - 1) / cell}
	g.differs = make([]bool, g.width*g.height)
	return g
}

// mark fills the grid with differences larger than least, and reports whether there are any.
func (g *grid) mark(a, b *image.RGBA, least int) (any bool) {
	size := a.Rect.Size()
	for y := range size.Y {
		rowA, rowB := a.Pix[y*a.Stride:y*a.Stride+4*size.X], b.Pix[y*b.Stride:y*b.Stride+4*size.X]
		if bytes.Equal(rowA, rowB) {
			continue
		}
		for i := range rowA {
			if d := int(rowA[i]) - int(rowB[i]); d > least || -d > least {
				g.differs[y/cell*g.width+i/4/cell], any = true, true
			}
		}
	}
	return any
}

// areas returns rectangles around cells that touch each other or have one cell in between.
func (g *grid) areas(within image.Rectangle) []image.Rectangle {
	var found []image.Rectangle
	all := image.Rectangle{}
	for i := range g.differs {
		if g.differs[i] {
			r := g.connected(i)
			r = image.Rect(r.Min.X*cell, r.Min.Y*cell, r.Max.X*cell, r.Max.Y*cell).Inset(-frame).Add(within.Min).Intersect(within)
			found, all = append(found, r), all.Union(r)
		}
	}
	if len(found) > maxAreas {
		return []image.Rectangle{all}
	}
	return found
}

// connected takes the area of a cell out of the grid and returns its bounds, in cells.
func (g *grid) connected(from int) image.Rectangle {
	bounds := image.Rectangle{}
	todo := []int{from}
	g.differs[from] = false
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		x, y := i%g.width, i/g.width
		bounds = bounds.Union(image.Rect(x, y, x+1, y+1))
		for ny := max(0, y-2); ny <= min(g.height-1, y+2); ny++ {
			for nx := max(0, x-2); nx <= min(g.width-1, x+2); nx++ {
				if n := ny*g.width + nx; g.differs[n] {
					g.differs[n] = false
					todo = append(todo, n)
				}
			}
		}
	}
	return bounds
}

// framed encodes a page with red frames around areas; it draws on the picture.
func framed(number int, p *image.RGBA, areas []image.Rectangle) (Picture, error) {
	red := image.NewUniform(color.RGBA{R: 0xD0, G: 0x10, B: 0x18, A: 0xFF})
	for _, a := range areas {
		inner := a.Inset(frame)
		for _, side := range []image.Rectangle{
			{a.Min, image.Pt(a.Max.X, inner.Min.Y)}, {image.Pt(a.Min.X, inner.Max.Y), a.Max},
			{a.Min, image.Pt(inner.Min.X, a.Max.Y)}, {image.Pt(inner.Max.X, a.Min.Y), a.Max},
		} {
			draw.Draw(p, side.Intersect(p.Rect), red, image.Point{}, draw.Src)
		}
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, p, &jpeg.Options{Quality: quality})
	return Picture{Number: number, JPEG: b.Bytes(), Width: p.Rect.Dx(), Height: p.Rect.Dy()}, err
}
