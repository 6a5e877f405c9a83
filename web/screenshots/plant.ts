/** A plant on a window sill, drawn: what a customer would photograph. */
export const plant = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480" viewBox="0 0 640 480">
<defs><linearGradient id="wall" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#f6ead9"/><stop offset="1" stop-color="#e5d2b8"/></linearGradient>
<linearGradient id="leaf" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#4f9a5d"/><stop offset="1" stop-color="#2f6b42"/></linearGradient>
<linearGradient id="pot" x1="0" y1="0" x2="1" y2="0"><stop offset="0" stop-color="#d98358"/><stop offset="1" stop-color="#b7623c"/></linearGradient></defs>
<rect width="640" height="480" fill="url(#wall)"/><rect x="60" y="30" width="200" height="270" rx="6" fill="#cfe6f2"/><path d="M160 30v270M60 165h200" stroke="#fff" stroke-width="10"/><rect x="50" y="296" width="220" height="16" fill="#fff"/>
<rect y="400" width="640" height="80" fill="#b98d63"/><rect y="400" width="640" height="8" fill="#a57a52"/>
<g stroke="#3a7a4a" stroke-width="7" fill="none"><path d="M380 330C370 250 330 200 270 170"/><path d="M384 330C390 240 430 170 500 130"/><path d="M390 330C420 290 460 270 540 262"/><path d="M380 330C380 240 372 170 384 100"/></g>
<g fill="url(#leaf)"><path d="M270 170c-60-6-92-52-84-96 48-8 98 26 100 78z"/><path d="M500 130c16-62 72-86 118-70 4 52-40 100-104 92z"/><path d="M384 100c-46-30-50-78-22-104 40 12 62 62 40 104z"/></g>
<path d="M540 262c20-44 66-54 96-34-2 42-44 72-90 54z" fill="#c3a53c"/><path d="M588 226c14 6 26 18 30 30" stroke="#8a6a1f" stroke-width="6" fill="none"/>
<g stroke="#cfe8cf" stroke-width="3" fill="none" opacity=".7"><path d="M270 168C240 140 216 112 196 86"/><path d="M502 128c34-26 66-44 104-58"/><path d="M386 98c-6-32-14-60-22-88"/></g>
<path d="M310 326h144l-20 104a12 12 0 0 1-12 10h-80a12 12 0 0 1-12-10z" fill="url(#pot)"/><rect x="300" y="316" width="164" height="26" rx="6" fill="#c8704a"/><ellipse cx="382" cy="318" rx="74" ry="9" fill="#5a4030"/></svg>`;
