"""Given and family names by origin, and how often each origin is met at a site. People are made up."""


def _names(text: str) -> tuple[str, ...]:
    """Split at bars where names have spaces, else at spaces."""
    return tuple(text.split("|" if "|" in text else None))


GIVEN: dict[str, tuple[str, ...]] = {
    "british": _names(
        "Oliver Amelia Harry Isla George Ava Jack Emily Charlie Sophie Thomas Grace James Freya William Ellie Daniel Poppy Alfie "
        "Alice Joseph Lucy Edward Hannah Samuel Megan Benjamin Charlotte Lewis Katie Adam Rebecca Callum Laura Ryan Gemma Martin "
        "Helen Neil Joanne Stuart Dawn Graham Tracey Keith Lorraine"
    ),
    "irish": _names("Aoife Cian Niamh Conor Siobhan Eoin Roisin Declan Orla Padraig Maeve Ronan"),
    "indian": _names(
        "Aarav Priya Rohan Ananya Vikram Deepa Arjun Kavita Sanjay Meera Rahul Sunita Nikhil Pooja Karthik Lakshmi Imran Farah"
    ),
    "portuguese": _names(
        "João Maria Tiago Inês Pedro Beatriz Rui Catarina Miguel Sofia Nuno Mariana Bruno Joana Ricardo Marta Hugo Teresa Diogo "
        "Patrícia Luís Filipa André Cláudia Vasco Helena Gonçalo Leonor Duarte Raquel"
    ),
    "brazilian": _names("Thiago Larissa Felipe Juliana Rafael Camila Gustavo Fernanda Caio Letícia"),
    "chinese": _names(
        "Wei Ling|Jun Jie|Hui Min|Kai Xin|Zhi Hao|Mei Yi|Yong Sheng|Xin Yi|Jia Hui|Boon Keng|Li Ting|Wen Jie|"
        "Siew Ling|Chee Meng|Shu Fen|Kok Wai"
    ),
    "malay": _names("Nurul Aisyah Hafiz Siti Faizal Azlan Zainab Iskandar Hidayah Ridzuan"),
    "nigerian": _names("Chidi Ngozi Emeka Adaeze Tunde Folake Kelechi Yemi"),
    "polish": _names("Piotr Agnieszka Marek Kasia Tomasz Magda Paweł Ewa"),
}
FAMILY: dict[str, tuple[str, ...]] = {
    "british": _names(
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts Green Hall "
        "Wood Jackson Clarke Whitlock Ackroyd Hargreaves Sutcliffe Holroyd Bentley Firth Lister Oldfield Pickles Ramsden Shaw "
        "Thackray Varley Wadsworth Barraclough Dyson Greenwood Haigh Illingworth Kershaw Metcalfe Naylor Rushworth Sykes Turner"
    ),
    "irish": _names("Murphy Kelly O'Sullivan Walsh Byrne Ryan O'Connor Doyle McCarthy Gallagher Doherty Kennedy"),
    "indian": _names("Patel Sharma Singh Iyer Nair Reddy Gupta Mehta Kapoor Rao Desai Khan Ahmed Pillai Menon Bose"),
    "portuguese": _names(
        "Silva Santos Ferreira Pereira Oliveira Costa Rodrigues Martins Sousa Fernandes Gonçalves Gomes Lopes Marques Alves "
        "Almeida Ribeiro Pinto Carvalho Teixeira Moreira Correia Mendes Nunes Soares Vieira Monteiro Cardoso Rocha Neves"
    ),
    "brazilian": _names("Barbosa Cavalcanti Araújo Moura Azevedo Batista Freitas Ramos Castro Duarte"),
    "chinese": _names("Tan Lim Lee Ng Ong Wong Goh Chua Chan Koh Teo Ang Yeo Tay Ho Low Sim Toh"),
    "malay": _names("Rahman Ismail Yusof Abdullah Hassan Ibrahim Othman Salleh Jamal Kassim"),
    "nigerian": _names("Okafor Adeyemi Eze Balogun Okonkwo Osei Nwosu Abiola"),
    "polish": _names("Nowak Kowalski Wójcik Kaczmarek Zieliński Mazur Krawczyk Dąbrowski"),
}
# Per site: (origin, weight).
ORIGINS: tuple[tuple[tuple[str, int], ...], ...] = (
    (("british", 62), ("indian", 15), ("irish", 8), ("polish", 6), ("nigerian", 6), ("portuguese", 3)),
    (("portuguese", 78), ("brazilian", 14), ("british", 4), ("indian", 4)),
    (("chinese", 58), ("malay", 16), ("indian", 20), ("british", 6)),
)
