// Reveals the example on the landing page word by word. CSS defines the animation, and whether there is one.

const sample = document.getElementById("sample")

function wordsOf(node) {
  return node.textContent.split(/(\s+)/).map((part) => {
    if (!part.trim()) return part
    const word = document.createElement("span")
    word.className = "sample__word"
    word.textContent = part
    return word
  })
}

function textsIn(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  const texts = []
  while (walker.nextNode()) if (walker.currentNode.data.trim()) texts.push(walker.currentNode)
  return texts
}

for (const text of textsIn(sample.querySelector(".transcript"))) text.replaceWith(...wordsOf(text))
const words = sample.querySelectorAll(".sample__word")
words.forEach((word, index) => word.style.setProperty("--at", index))
sample.querySelector(".tail").style.setProperty("--at", words.length)
sample.classList.add("sample--ready")
