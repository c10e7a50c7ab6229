package stamp

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/saoy/saoy/internal/stamp/typeface"
)

// canvas writes the content stream of one page. Coordinates are points from the lower left
// corner of the page.
type canvas struct {
	buf   bytes.Buffer
	fonts *fontSet
	page  *taggedPage
}

// ink is a fill colour in DeviceRGB.
type ink struct{ r, g, b float64 }

var (
	black    = ink{0, 0, 0}
	white    = ink{1, 1, 1}
	stampRed = ink{0.78, 0.06, 0.08}
)

// op writes operands and an operator on a line of their own.
func (c *canvas) op(operator string, operands ...float64) {
	for _, v := range operands {
		c.buf.WriteString(number(v))
		c.buf.WriteByte(' ')
	}
	c.buf.WriteString(operator)
	c.buf.WriteByte('\n')
}

// raw writes content that another writer made.
func (c *canvas) raw(content []byte) { c.buf.Write(append(bytes.TrimSpace(content), '\n')) }

// tagged encloses what draw writes as content of a structure element.
func (c *canvas) tagged(e *node, draw func()) {
	fmt.Fprintf(&c.buf, "/%s <</MCID %d>> BDC\n", e.tag, c.page.mark(e))
	draw()
	c.buf.WriteString("EMC\n")
}

// artifact encloses what draw writes as decoration.
func (c *canvas) artifact(draw func()) {
	c.buf.WriteString("/Artifact BMC\n")
	draw()
	c.buf.WriteString("EMC\n")
}

// text draws a run with its origin at x, y, turned by angle radians.
func (c *canvas) text(style typeface.Style, size float64, fill ink, run typeface.Run, x, y, angle float64) {
	c.op("rg", fill.r, fill.g, fill.b)
	c.buf.WriteString("BT\n")
	fmt.Fprintf(&c.buf, "/%s %s Tf\n", fontName(style), number(size))
	sin, cos := math.Sincos(angle)
	c.op("Tm", cos, sin, -sin, cos, x, y)
	fmt.Fprintf(&c.buf, "<%X> Tj\nET\n", c.fonts.fonts[style].encode(run))
}

// image draws the image XObject name in a rectangle.
func (c *canvas) image(name string, r rect) {
	c.op("q")
	c.op("cm", r.width, 0, 0, r.height, r.x, r.y)
	fmt.Fprintf(&c.buf, "/%s Do\n", name)
	c.op("Q")
}

// fill fills a rectangle.
func (c *canvas) fill(fill ink, r rect) {
	c.op("rg", fill.r, fill.g, fill.b)
	c.op("re", r.x, r.y, r.width, r.height)
	c.op("f")
}

// rect is a rectangle by its lower left corner.
type rect struct{ x, y, width, height float64 }

// moved returns r shifted.
func (r rect) moved(dx, dy float64) rect { return rect{r.x + dx, r.y + dy, r.width, r.height} }

// number writes a coordinate with at most three decimals: finer than any device, and safe
// from the last bits of different processors.
func number(v float64) string { return strconv.FormatFloat(round(v), 'f', -1, 64) }

func round(v float64) float64 {
	r := math.Round(v*1000) / 1000
	if r == 0 {
		return 0 // not -0
	}
	return r
}
