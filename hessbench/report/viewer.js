"use strict";
// Balls and sticks on a canvas, turned by pointer, touch or keyboard; and full-size figures in a dialog.
(() => {
  const json = (id) => JSON.parse(document.getElementById(id).textContent);
  const movies = json("movies");
  const { table, bond_ratio: bondRatio } = json("elements");
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const BALL = 0.42; // radius of a ball over the covalent radius
  const START = [-0.35, 0.5]; // turned about x and y, radian

  function fit(canvas) {
    const scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    return { context, width, height };
  }

  function turned([x, y, z], [a, b]) {
    const x1 = x * Math.cos(b) + z * Math.sin(b), z1 = z * Math.cos(b) - x * Math.sin(b);
    return [x1, y * Math.cos(a) - z1 * Math.sin(a), y * Math.sin(a) + z1 * Math.cos(a)];
  }

  function surface(from, to, distance) { // where a stick leaves the ball of its first atom, just inside
    const share = (0.9 * BALL * from.element.radius) / distance;
    return from.place.map((value, k) => value + share * (to.place[k] - value));
  }

  class Viewer {
    constructor(root) {
      this.scene = root.querySelector(".scene");
      this.plot = root.querySelector(".plot");
      this.caption = root.querySelector(".caption");
      this.slider = root.querySelector("input");
      this.button = root.querySelector(".play");
      this.movies = movies[root.dataset.movies];
      this.pointers = new Map();
      this.playing = false;
      root.querySelector("select").addEventListener("change", (event) => this.load(Number(event.target.value)));
      this.slider.addEventListener("input", () => { this.stop(); this.show(Number(this.slider.value)); });
      this.button.addEventListener("click", () => this.toggle());
      root.querySelector(".reset").addEventListener("click", () => this.reset());
      this.scene.addEventListener("pointerdown", (event) => {
        this.scene.setPointerCapture(event.pointerId);
        this.pointers.set(event.pointerId, event);
      });
      this.scene.addEventListener("pointermove", (event) => this.move(event));
      for (const end of ["pointerup", "pointercancel"])
        this.scene.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
      this.scene.addEventListener("wheel", (event) => {
        event.preventDefault();
        this.magnify(Math.exp(-event.deltaY / 600));
      }, { passive: false });
      this.scene.addEventListener("keydown", (event) => this.key(event));
      new ResizeObserver(() => this.draw()).observe(this.scene);
      window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
      this.load(0);
    }

    load(index) {
      this.stop();
      this.movie = this.movies[index];
      this.slider.max = this.movie.frames.length - 1;
      let reach = 0;
      for (const frame of this.movie.frames)
        for (let k = 0; k < frame.length; k += 3) reach = Math.max(reach, Math.hypot(frame[k], frame[k + 1], frame[k + 2]));
      this.reach = reach + 0.8;
      this.angles = [...START];
      this.zoom = 1;
      this.show(0);
    }

    reset() { this.angles = [...START]; this.zoom = 1; this.draw(); }

    show(frame) {
      this.frame = frame;
      this.slider.value = frame;
      this.slider.setAttribute("aria-valuetext", this.movie.captions[frame]);
      this.caption.textContent = this.movie.captions[frame];
      this.draw();
    }

    toggle() { if (this.playing) this.stop(); else this.start(); }

    start() {
      this.playing = true;
      this.button.textContent = "Pause";
      this.button.setAttribute("aria-pressed", "true");
      let last = 0;
      const step = (time) => {
        if (!this.playing) return;
        if (time - last > 70) { last = time; this.show((this.frame + 1) % this.movie.frames.length); }
        requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    }

    stop() {
      this.playing = false;
      this.button.textContent = "Play";
      this.button.setAttribute("aria-pressed", "false");
    }

    move(event) {
      const before = this.pointers.get(event.pointerId);
      if (!before) return;
      if (this.pointers.size === 2) {
        const other = [...this.pointers.values()].find((pointer) => pointer.pointerId !== event.pointerId);
        const distance = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
        const old = distance(before, other);
        if (old > 0) this.magnify(distance(event, other) / old);
      } else {
        this.turn((event.clientY - before.clientY) / 120, (event.clientX - before.clientX) / 120);
      }
      this.pointers.set(event.pointerId, event);
    }

    turn(a, b) { this.angles[0] += a; this.angles[1] += b; this.draw(); }

    magnify(factor) { this.zoom = Math.min(8, Math.max(0.3, this.zoom * factor)); this.draw(); }

    key(event) {
      const actions = {
        ArrowLeft: () => this.turn(0, -0.12), ArrowRight: () => this.turn(0, 0.12),
        ArrowUp: () => this.turn(-0.12, 0), ArrowDown: () => this.turn(0.12, 0),
        "+": () => this.magnify(1.15), "=": () => this.magnify(1.15), "-": () => this.magnify(1 / 1.15),
        " ": () => this.toggle(), 0: () => this.reset(),
      };
      if (event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
      event.preventDefault();
      actions[event.key]();
    }

    draw() {
      const { context, width, height } = fit(this.scene);
      context.clearRect(0, 0, width, height);
      const scale = (0.5 * Math.min(width, height) / this.reach) * this.zoom;
      const flat = this.movie.frames[this.frame];
      const seen = (place) => {
        const [x, y, z] = turned(place, this.angles);
        const depth = 1 + z / (4 * this.reach); // nearer is larger
        return { x: width / 2 + x * scale * depth, y: height / 2 - y * scale * depth, z, depth };
      };
      const atoms = this.movie.numbers.map((number, k) => {
        const place = flat.slice(3 * k, 3 * k + 3), spot = seen(place);
        const element = table[number] || { symbol: "?", radius: 1, color: "#c08000" };
        return { ...spot, place, element, size: BALL * element.radius * scale * spot.depth };
      });
      const things = atoms.map((atom) => ({ z: atom.z, paint: () => this.ball(context, atom) }));
      for (let i = 0; i < atoms.length; i++)
        for (let j = 0; j < i; j++) {
          const [a, b] = [atoms[i], atoms[j]];
          const distance = Math.hypot(a.place[0] - b.place[0], a.place[1] - b.place[1], a.place[2] - b.place[2]);
          if (distance < bondRatio * (a.element.radius + b.element.radius))
            things.push({
              z: (a.z + b.z) / 2,
              paint: () => this.stick(context, seen(surface(a, b, distance)), seen(surface(b, a, distance)), scale),
            });
        }
      things.sort((a, b) => a.z - b.z);
      for (const thing of things) thing.paint();
      this.curve();
    }

    stick(context, a, b, scale) {
      context.strokeStyle = color("--bond");
      context.lineWidth = Math.max(2, 0.16 * scale);
      context.lineCap = "round";
      context.beginPath();
      context.moveTo(a.x, a.y);
      context.lineTo(b.x, b.y);
      context.stroke();
    }

    ball(context, atom) {
      const light = context.createRadialGradient(
        atom.x - atom.size * 0.35, atom.y - atom.size * 0.35, atom.size * 0.1, atom.x, atom.y, atom.size);
      light.addColorStop(0, "#ffffff");
      light.addColorStop(0.45, atom.element.color);
      light.addColorStop(1, atom.element.color);
      context.fillStyle = light;
      context.strokeStyle = "#30343a";
      context.lineWidth = 1;
      context.beginPath();
      context.arc(atom.x, atom.y, Math.max(1, atom.size), 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }

    curve() {
      this.plot.hidden = !this.movie.plot || this.movie.frames.length < 2;
      if (this.plot.hidden) return;
      const { context, width, height } = fit(this.plot);
      context.clearRect(0, 0, width, height);
      const { x, y, x_label: xLabel, y_label: yLabel } = this.movie.plot;
      const [left, right, top, bottom] = [46, 10, 16, 22];
      const range = (values) => {
        const low = Math.min(...values), high = Math.max(...values);
        return high > low ? [low, high] : [low - 1, high + 1];
      };
      const [x0, x1] = range(x), [y0, y1] = range(y);
      const px = (value) => left + ((value - x0) / (x1 - x0)) * (width - left - right);
      const py = (value) => height - bottom - ((value - y0) / (y1 - y0)) * (height - top - bottom);
      context.font = "11px system-ui, sans-serif";
      context.fillStyle = color("--faint");
      context.textAlign = "left";
      context.fillText(yLabel, left, 11);
      context.textAlign = "right";
      context.fillText(y1.toFixed(0), left - 4, py(y1) + 4);
      context.fillText(y0.toFixed(0), left - 4, py(y0) + 4);
      context.fillText(x1.toFixed(1), width - right, height - 6);
      context.textAlign = "left";
      context.fillText(x0.toFixed(1), left, height - 6);
      context.textAlign = "center";
      context.fillText(xLabel, left + (width - left - right) / 2, height - 6);
      context.strokeStyle = color("--link");
      context.lineWidth = 1.5;
      context.beginPath();
      x.forEach((value, k) => context[k ? "lineTo" : "moveTo"](px(value), py(y[k])));
      context.stroke();
      context.fillStyle = color("--ink");
      context.beginPath();
      context.arc(px(x[this.frame]), py(y[this.frame]), 4, 0, 2 * Math.PI);
      context.fill();
    }
  }

  for (const root of document.querySelectorAll(".viewer")) if (root.querySelector(".scene")) new Viewer(root);

  const dialog = document.getElementById("large");
  const picture = dialog.querySelector("img");
  for (const button of document.querySelectorAll(".zoom"))
    button.addEventListener("click", () => {
      const image = button.querySelector("img");
      picture.src = image.src;
      picture.alt = image.alt;
      dialog.showModal();
    });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.documentElement.dataset.ready = "true";
})();
