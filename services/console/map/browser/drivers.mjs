import { center, latOf, lngOf, mercatorX, mercatorY } from './grid.mjs';

/** What a mark says; 0 is that there is none. */
const ON_RIDE = 2;
const WORDS = 3;
const ROW_BYTES = 6;
const MAX_SLOTS = 2 ** 14;

const origin = [mercatorX(center[0]), mercatorY(center[1])];

const vertexShader = `#version 300 es
uniform mat4 matrix;
uniform float size;
uniform vec4 freeColor;
uniform vec4 busyColor;
in vec3 mark;
out vec4 color;
void main() {
  gl_Position = mark.z == 0.0 ? vec4(2.0, 2.0, 2.0, 1.0) : matrix * vec4(mark.xy, 0.0, 1.0);
  gl_PointSize = size;
  color = mark.z == ${ON_RIDE}.0 ? busyColor : freeColor;
}`;

const fragmentShader = `#version 300 es
precision mediump float;
in vec4 color;
out vec4 pixel;
void main() {
  float far = length(gl_PointCoord - 0.5) * 2.0;
  if (far > 1.0) discard;
  pixel = color * (1.0 - smoothstep(0.75, 1.0, far));
}`;

/**
 * All drivers in one draw call from one array: what they cost the page does not depend on how many objects it would
 * take to describe them. Places are kept relative to the middle of the map, for the sake of 32-bit floats.
 */
export class DriversLayer {
  id = 'drivers';
  type = 'custom';
  renderingMode = '2d';
  #marks = new Float32Array(MAX_SLOTS * WORDS);
  /** In grid steps, for lines to drivers. */
  #places = new Uint16Array(MAX_SLOTS * 2);
  #slots = 0;
  #stale = true;
  #colors;

  /** @param colors `free` and `busy`, each as four numbers from 0 to 1, the alpha multiplied in */
  constructor(colors) {
    this.#colors = colors;
  }

  set colors(colors) {
    this.#colors = colors;
  }

  /** How many marks there are. */
  get count() {
    let count = 0;
    for (let slot = 0; slot < this.#slots; slot++) if (this.#marks[slot * WORDS + 2] !== 0) count++;
    return count;
  }

  /** Where the mark of a slot is, in grid steps; null where there is none. */
  placeOf(slot) {
    if (slot < 0 || this.#marks[slot * WORDS + 2] === 0) return null;
    return [this.#places[slot * 2], this.#places[slot * 2 + 1]];
  }

  /** Takes in what has changed: rows of slot with state, x, y in base64; `all`: nobody else is there. */
  take({ all, rows }) {
    if (all) this.#marks.fill(0);
    const bytes = Uint8Array.from(atob(rows), (character) => character.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += ROW_BYTES) {
      const slotAndState = view.getUint16(at, true);
      const slot = slotAndState & (MAX_SLOTS - 1);
      const x = view.getUint16(at + 2, true);
      const y = view.getUint16(at + 4, true);
      this.#places[slot * 2] = x;
      this.#places[slot * 2 + 1] = y;
      this.#marks[slot * WORDS] = mercatorX(lngOf(x)) - origin[0];
      this.#marks[slot * WORDS + 1] = mercatorY(latOf(y)) - origin[1];
      this.#marks[slot * WORDS + 2] = slotAndState >>> 14;
      if (slot >= this.#slots) this.#slots = slot + 1;
    }
    this.#stale = true;
  }

  onAdd(map, gl) {
    this.map = map;
    this.program = gl.createProgram();
    for (const [type, source] of [
      [gl.VERTEX_SHADER, vertexShader],
      [gl.FRAGMENT_SHADER, fragmentShader],
    ]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(this.program, shader);
    }
    gl.linkProgram(this.program);
    this.uniforms = Object.fromEntries(
      ['matrix', 'size', 'freeColor', 'busyColor'].map((name) => [
        name,
        gl.getUniformLocation(this.program, name),
      ]),
    );
    this.array = gl.createVertexArray();
    this.buffer = gl.createBuffer();
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.#marks.byteLength, gl.DYNAMIC_DRAW);
    const mark = gl.getAttribLocation(this.program, 'mark');
    gl.enableVertexAttribArray(mark);
    gl.vertexAttribPointer(mark, WORDS, gl.FLOAT, false, 0, 0);
    gl.bindVertexArray(null);
    this.#stale = true;
  }

  render(gl, { defaultProjectionData }) {
    gl.useProgram(this.program);
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    if (this.#stale) gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.#marks, 0, this.#slots * WORDS);
    this.#stale = false;
    gl.uniformMatrix4fv(this.uniforms.matrix, false, movedTo(origin, defaultProjectionData.mainMatrix));
    gl.uniform1f(this.uniforms.size, this.#size());
    gl.uniform4fv(this.uniforms.freeColor, this.#colors.free);
    gl.uniform4fv(this.uniforms.busyColor, this.#colors.busy);
    gl.disable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.drawArrays(gl.POINTS, 0, this.#slots);
    gl.bindVertexArray(null);
  }

  #size() {
    return Math.min(14, Math.max(3.5, (this.map.getZoom() - 8) * 1.8)) * devicePixelRatio;
  }
}

/** A matrix (by columns) that takes places relative to an origin, computed with 64 bits. */
function movedTo([x, y], matrix) {
  const moved = Float64Array.from(matrix);
  for (let row = 0; row < 4; row++) moved[12 + row] += matrix[row] * x + matrix[4 + row] * y;
  return Float32Array.from(moved);
}
