using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Text;

public class LanguageIdentifierTests
{
    [Theory]
    [InlineData("en", "Call me Ishmael. Some years ago - never mind how long precisely - having little or no money in my purse, I "
        + "thought I would sail about.")]
    [InlineData("it", "Nel mezzo del cammin di nostra vita mi ritrovai per una selva oscura, che la diritta via era smarrita.")]
    [InlineData("it", "Libreria condivisa: questo pacchetto contiene i file di intestazione per lo sviluppo.")]
    [InlineData("fr", "Longtemps, je me suis couch\u00e9 de bonne heure. Parfois, \u00e0 peine ma bougie \u00e9teinte, mes yeux se "
        + "fermaient si vite.")]
    [InlineData("de", "Als Gregor Samsa eines Morgens aus unruhigen Tr\u00e4umen erwachte, fand er sich in seinem Bett zu einem "
        + "Ungeziefer verwandelt.")]
    [InlineData("es", "En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha mucho tiempo que viv\u00eda un hidalgo de los "
        + "de lanza.")]
    [InlineData("pt", "Algum tempo hesitei se devia abrir estas mem\u00f3rias pelo princ\u00edpio ou pelo fim, isto \u00e9, se poria em "
        + "primeiro lugar o meu nascimento.")]
    [InlineData("zh", "\u5b50\u66f0\uff1a\u5b78\u800c\u6642\u7fd2\u4e4b\uff0c\u4e0d\u4ea6\u8aaa\u4e4e\uff1f"
        + "\u6709\u670b\u81ea\u9060\u65b9\u4f86\uff0c\u4e0d\u4ea6\u6a02\u4e4e\uff1f")]
    [InlineData("zh", "\u4f7f\u7528 apt-get install \u547d\u4ee4\u5b89\u88c5\u8f6f\u4ef6\u5305\uff0c\u7136\u540e\u91cd\u65b0\u542f\u52a8 "
        + "Debian \u7cfb\u7edf\u3002")]
    [InlineData("ja", "\u543e\u8f29\u306f\u732b\u3067\u3042\u308b\u3002\u540d\u524d\u306f\u307e\u3060\u7121\u3044\u3002")]
    [InlineData("ko", "\ub098\ub294 \uc624\ub298 \ud559\uad50\uc5d0 \uac14\ub2e4")]
    [InlineData("ru", "\u0412\u0441\u0435 \u0441\u0447\u0430\u0441\u0442\u043b\u0438\u0432\u044b\u0435 \u0441\u0435\u043c\u044c\u0438 "
        + "\u043f\u043e\u0445\u043e\u0436\u0438 \u0434\u0440\u0443\u0433 \u043d\u0430 \u0434\u0440\u0443\u0433\u0430")]
    [InlineData("code", "#include <stdio.h>\n\nint main(void)\n{\n    /* say the word */\n    for (int i = 0; i < 3; i++)\n        "
        + "printf(\"hello\\n\");\n    return 0;\n}\n")]
    [InlineData("code", "import os\n\nclass Reader:\n    def __init__(self, path):\n        self.path = path\n\n    def read(self):\n    "
        + "    with open(self.path) as f:\n            return f.read()\n")]
    [InlineData("code", "export function sum(values) {\n  let total = 0;\n  for (const value of values) {\n    total += value;\n  }\n  "
        + "return total;\n}\n")]
    [InlineData("und", "Lorem ipsum dolor sit amet consectetur adipiscing elit sed eiusmod tempor")]
    [InlineData("und", "")]
    public void A_text_gets_its_label(string expected, string text) => Assert.Equal(expected, LanguageIdentifier.Identify(text));

    [Fact]
    public void Long_texts_are_identified_by_parts_of_them()
    {
        string english = string.Concat(Enumerable.Repeat("It was the best of times, it was the worst of times. ", 10_000));
        Assert.Equal("en", LanguageIdentifier.Identify(english));
    }
}
