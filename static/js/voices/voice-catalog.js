// The voices of all engines in one list, with search and filters.

const languageNames = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" })

// engines: [{name, label, controls, voices: [{name, label, language, kind, description, license, is_noncommercial}]}].
export function voicesOf(engines) {
  return engines.flatMap(({ name, label, controls, voices }) =>
    voices.map((voice) => ({
      ...voice,
      id: `${name}/${voice.name}`,
      engine: name,
      engineLabel: label,
      controls,
      base: voice.language.split("-")[0].toLowerCase(),
      languageName: languageName(voice.language),
    })),
  )
}

export function languageName(code) {
  try {
    return languageNames.of(code)
  } catch {
    return code // eSpeak has codes of its own
  }
}

// [[code, name]] of the voices' languages without regions, sorted by name.
export function languagesOf(voices) {
  const codes = [...new Set(voices.map(({ base }) => base))]
  return codes.map((code) => [code, languageName(code)]).sort(([, a], [, b]) => a.localeCompare(b))
}

// Voices whose name, language, description or license contains every word of the query.
export function matching(voices, { query = "", language = "", kind = "", favorites = null }) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  return voices.filter((voice) => {
    const { label, name, description, engineLabel, languageName, license } = voice
    const fields = [label, name, description, engineLabel, languageName, voice.language, voice.kind, license]
    const searchable = fields.join(" ").toLowerCase()
    return (
      words.every((word) => searchable.includes(word)) &&
      (!language || voice.base === language) &&
      (!kind || voice.kind === kind) &&
      (!favorites || favorites.has(voice.id))
    )
  })
}

// Sample sentences by language.
const SAMPLES = {
  en: "The sun rose slowly, and the harbour woke up below the hill.",
  fr: "Le soleil se lève lentement, et le port s'éveille au pied de la colline.",
  de: "Die Sonne geht langsam auf, und der Hafen erwacht unter dem Hügel.",
  es: "El sol sale despacio, y el puerto despierta bajo la colina.",
  it: "Il sole sorge piano, e il porto si sveglia sotto la collina.",
  pt: "O sol nasce devagar, e o porto acorda ao pé da colina.",
  nl: "De zon komt langzaam op, en de haven ontwaakt onder de heuvel.",
  pl: "Słońce wschodzi powoli, a port budzi się pod wzgórzem.",
  sv: "Solen går långsamt upp, och hamnen vaknar nedanför kullen.",
  tr: "Güneş yavaşça doğuyor ve liman tepenin altında uyanıyor.",
  ru: "Солнце медленно встаёт, и порт просыпается под холмом.",
}

export function sampleText(voice) {
  return SAMPLES[voice.base] ?? `${voice.label}. 1, 2, 3.`
}
